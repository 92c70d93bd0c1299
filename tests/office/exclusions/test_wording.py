from __future__ import annotations

import pytest

from office.exclusions.rules.wording import names_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Smith took a bottle.", ["Smith"]),
        ("He was called \u201csmith\u201d by staff.", ["Smith"]),
        ("John, SMITH and others", ["John", "Smith"]),
        ("A blacksmith and Johnson left.", []),
        ("Jose took it", []),
    ],
)
def test_names_in_a_text_are_whole_words(text: str, found: list[str]) -> None:
    assert names_in(text, ["John Smith", ""]) == found


def test_names_in_a_text_are_found_without_accents() -> None:
    assert names_in("Jose Nunez took it.", ["José Núñez"]) == ["José", "Núñez"]


def test_initials_are_not_names() -> None:
    assert names_in("A man took J cloths in Ox Lane.", ["J Ox", "A"]) == []
