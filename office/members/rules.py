"""Who may see and change which premises and members, and what follows when two people edit one premises.

Pure: schemes are numbers, accounts and rows do not occur here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from office.members.facts import SCHEMES_MAX
from wire.limits import SNAPSHOT_BYTES_MAX

PREMISES_MAX: Final = 16_000
"""Of a town: what a snapshot holds (:data:`wire.limits.SNAPSHOT_BYTES_MAX`) if most are described briefly."""
PREMISES_BYTES_MAX: Final = SNAPSHOT_BYTES_MAX - 1_048_576
"""Of all premises of a town together. The rest is for what surrounds them, and for two who save at the same moment."""
NO_ROOM: Final = (
    "All premises together would be too large for the control room. Shorten the notes of some, or remove premises that"
    " are gone."
)
HAS_CASES: Final = (
    "This member nominated or voted in cases that are still kept, so it cannot be deleted yet. Try again when those"
    " cases have been deleted."
)

MAY_NOT_MOVE: Final = "Only someone who co-ordinates all schemes of these premises can give them to another member."

Side = Literal["saved", "mine"]


class SchemesRefusedError(ValueError):
    """A choice of schemes that its maker may not make."""


def has_room(now_bytes: int, more_bytes: int) -> bool:
    """Whether the premises of a town may take ``more_bytes`` beside ``now_bytes``. To take less is always possible."""
    return more_bytes <= 0 or now_bytes + more_bytes <= PREMISES_BYTES_MAX


def may_see(schemes_of_it: frozenset[int], own_schemes: frozenset[int]) -> bool:
    """Whether a premises or a member of these schemes exists for a person of ``own_schemes``."""
    return not schemes_of_it.isdisjoint(own_schemes)


def visible_schemes(schemes_of_it: frozenset[int], own_schemes: frozenset[int]) -> frozenset[int]:
    """Which of its schemes that person is told about."""
    return schemes_of_it & own_schemes


def schemes_after(now: frozenset[int], chosen: frozenset[int], own_schemes: frozenset[int]) -> frozenset[int]:
    """The schemes of a premises after a co-ordinator of ``own_schemes`` has chosen among these.

    Schemes of other co-ordinators stay as they are, unseen.

    Raises:
        SchemesRefusedError: one chosen is not theirs, none is chosen, or there would be too many.
    """
    if not chosen <= own_schemes:
        raise SchemesRefusedError("Choose only schemes that you co-ordinate.")
    if not chosen:
        raise SchemesRefusedError("Choose at least one scheme. To end it in all of them, remove the premises.")
    after = (now - own_schemes) | chosen
    if len(after) > SCHEMES_MAX:
        raise SchemesRefusedError(f"Choose fewer schemes: a premises can be in {SCHEMES_MAX} at most.")
    return after


def schemes_when_removed(now: frozenset[int], removed: frozenset[int], own_schemes: frozenset[int]) -> frozenset[int]:
    """The schemes of a premises that a co-ordinator removes from these; none left = it is deleted.

    Raises:
        SchemesRefusedError: one of them is not theirs.
    """
    if not removed <= own_schemes:
        raise SchemesRefusedError("Choose only schemes that you co-ordinate.")
    return now - removed


class Difference(Struct, frozen=True):
    """A field in which what is saved and what one has typed differ.

    Attributes:
        field: its name.
        saved, mine: the two texts.
        suggestion: which to keep, if only one of the two was changed; ``None``: both were, so only a person decides.
    """

    field: str
    saved: str
    mine: str
    suggestion: Side | None


def differences(
    base: Mapping[str, str] | None, saved: Mapping[str, str], mine: Mapping[str, str]
) -> tuple[Difference, ...]:
    """Where what another has saved meanwhile differs from what one has typed, in the order of ``saved``.

    Args:
        base: what both began with; ``None`` = not known, nothing is suggested.
        saved: what is saved now.
        mine: what was typed; the same fields.
    """
    return tuple(
        Difference(field, text, mine[field], _suggestion(None if base is None else base.get(field), text, mine[field]))
        for field, text in saved.items()
        if text != mine[field]
    )


def _suggestion(base: str | None, saved: str, mine: str) -> Side | None:
    if base is None:
        return None
    if base == mine:
        return "saved"
    return "mine" if base == saved else None
