"""docs/gallery.md shows the rules as they are."""

from __future__ import annotations

from tools.gallery_rules import DOCUMENT, page


def test_document_shows_the_rules_as_they_are() -> None:
    assert page() in DOCUMENT.read_text(encoding="utf-8"), "python -m tools.gallery_rules"
