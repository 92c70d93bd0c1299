"""How a record of a view log reads to people. Pure."""

from __future__ import annotations

from typing import Final

KINDS: Final = {
    "list": "the list",
    "search": "a search",
    "person": "the person",
    "photograph": "the photograph, large",
    "panel": "the photograph on the unit’s panel",
}
"""What was shown, by the record's word."""
GAP: Final = "records before it are missing"
COPIED: Final = "two units say that they are this one"


def shown_text(kind: str) -> str:
    """``list`` → ``the list``; a word of a newer unit as it stands."""
    return KINDS.get(kind, kind)


def staff_text(number: int, name: str) -> str:
    """Who looked. Without a name the number, which is a member's of staff that nobody knows here any more."""
    if not number:
        return "nobody signed in"
    return name or f"staff number {number}"


def marks(*, follows_gap: bool, is_copied: bool) -> list[str]:
    """What else must be known of a record."""
    return [text for text, is_so in ((GAP, follows_gap), (COPIED, is_copied)) if is_so]
