"""The names of the two systems."""

from __future__ import annotations

from typing import Final, Literal

Slot = Literal["a", "b"]
SLOTS: Final[tuple[Slot, Slot]] = ("a", "b")


def other(slot: Slot) -> Slot:
    """The one that is not ``slot``."""
    return "b" if slot == "a" else "a"
