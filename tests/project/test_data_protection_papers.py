"""The templates of docs/data-protection name what they stand on, and say what they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from office.exclusions.rules.law import DOCUMENT_TITLES

FOLDER = Path(__file__).parents[2] / "docs" / "data-protection"
UNITS = FOLDER / "units-in-shops.md"
PAPERS = sorted(path for path in FOLDER.glob("*.md") if path.name not in {"README.md", UNITS.name})


def words(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").replace("\n> ", "\n").replace("*", "").split())


def test_papers_are_there_for_each_kind_of_document() -> None:
    index = words(FOLDER / "README.md")

    assert len(PAPERS) == len(DOCUMENT_TITLES) + 1  # the privacy notice is two
    assert [] == [title for title in DOCUMENT_TITLES.values() if f"| {title} |" not in index]
    assert [] == [path.name for path in PAPERS if f"({path.name})" not in index]


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_paper_says_that_it_is_to_be_checked_and_that_no_face_is_recognised(path: Path) -> None:
    assert "To be checked by your own adviser." in words(path)
    assert "face recognition" in words(path).lower()


def test_papers_name_their_ground() -> None:
    said = " ".join(map(words, PAPERS))
    wanted = [
        *("Article 6(1)(f)", "6(1)(e)", "Article 10", "section 10(5)", "Schedule 1 paragraph 10", "paragraph 36"),
        *("Part 4", "Part 3", "Articles 13 and 14", "Article 26", "section 164A", "30 days", "Boyle"),
    ]

    assert [] == [ground for ground in wanted if ground not in said and ground.lower() not in said.lower()]


def test_limits_of_a_unit_are_said_and_nothing_is_called_an_expiry_of_keys() -> None:
    """G6: what decides on a unit is evidence of time; keys on a card expire for nobody."""
    said = words(UNITS)
    wanted = ("do not expire by themselves", "Whoever takes the card out", "has no network stays", "old copy of a card")
    assert [] == [limit for limit in wanted if limit not in said]
    assert f"({UNITS.name})" in words(FOLDER / "README.md")

    root = FOLDER.parents[1]
    shown = [*root.glob("docs/**/*.md"), *root.glob("*/**/*.html"), *root.glob("*/**/words.py"), root / "README.md"]
    called = [path.name for path in shown if re.search("cryptograph[a-z]* expir|self-destruct", words(path).lower())]
    assert [] == called
