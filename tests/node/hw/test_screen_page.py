"""The page for staff shows every face there is a picture of, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from node.core.screens import Screen
from tools.specimens import SPECIMENS

PAGE = Path(__file__).parents[3] / "docs" / "screen.md"


def test_page_explains_every_face_once() -> None:
    """N3: whoever stands beside it can look up what each screen means."""
    shown = re.findall(r"pictures/oled-([a-z-]+)\.png", PAGE.read_text(encoding="utf-8"))

    assert sorted(SPECIMENS) == sorted(shown)


def test_page_reads_each_face_as_it_is() -> None:
    """Who cannot see the picture has its words."""
    read = re.findall(r"!\[([^]]*)]\(pictures/oled-([a-z-]+)\.png\)", PAGE.read_text(encoding="utf-8"))

    assert {name: words_of(face) for name, face in SPECIMENS.items()} == {name: alt for alt, name in read}


def words_of(face: Screen) -> str:
    if face.picture is not None:
        return f"A face: {', '.join(face.picture.lines)}"
    return f"{' '.join(face.headline)}: {', '.join(filter(None, face.lines))}"
