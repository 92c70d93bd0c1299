"""The one step that brings a case on, as its page offers it: the others are there, but smaller (G2)."""

from __future__ import annotations

from typing import Final

from office.exclusions.rules.life import Case, MoveName, Mover, why_not

_IN_ORDER: Final[tuple[MoveName, ...]] = ("open-vote", "check", "approve-minor", "issue", "reissue", "serve")
GRAVE: Final[frozenset[MoveName]] = frozenset({"issue", "revoke", "lift-restriction"})
"""They want the second factor again: they put somebody before shops, or undo what members decided."""


def next_move(case: Case, mover: Mover, *, is_stale: bool) -> MoveName | None:
    """The move that a person is offered first; ``None`` = the case waits for nobody, or for somebody else.

    While an appeal is open nothing is offered first: its outcome is the co-ordinator's to choose freely.

    Args:
        case: as it is now.
        mover: who looks at it.
        is_stale: the person's copy does not say what holds now.
    """
    if case.has_open_appeal:
        return None
    open_to = [name for name in _IN_ORDER if why_not(name, case, mover) is None]
    return next((name for name in open_to if name != "reissue" or is_stale), None)
