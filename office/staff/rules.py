"""Who may do what with a premises' list of staff, and how long a start code is good. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from wire.gallery_staff import STAFF_MAX

CODE_DAYS: Final = 14
"""So long a start code is good, today included: a holiday, and no longer than a lost paper lies about."""
NUMBER_MIN: Final = 100_000_000
NUMBER_MAX: Final = 999_999_999
"""Nine digits, so that a number can be read out."""

FULL: Final = f"The list holds {STAFF_MAX} people at most. Take off who no longer works here."
ALIKE: Final = (
    "Somebody of this name is on the list. People choose their name when they sign in: add what tells them apart, such"
    " as an initial."
)


class Standing(Struct, frozen=True):
    """What a person may do with the list of a premises.

    Attributes:
        keeps: add, correct, and give start codes.
        takes_off: take people off it.
        needs_more: only who speaks for its member in each of its schemes keeps it, and they do not.
    """

    keeps: bool
    takes_off: bool
    needs_more: bool = False


def standing(schemes: Collection[int], co_ordinates: Collection[int], speaks_in: Collection[int]) -> Standing:
    """What somebody may do who sees the premises.

    The member's contact knows who works there, and keeps the list. Whoever is on it sees what every scheme of the
    premises shows there: so the contact is one whom each of these schemes has chosen. A contact of some of them, and a
    co-ordinator, may take somebody off, so that nobody stays in because somebody is away; they let nobody in.

    Args:
        schemes: of the premises.
        co_ordinates: schemes whose co-ordinator the person is.
        speaks_in: schemes in which they speak for its member.
    """
    numbers = frozenset(schemes)
    keeps = bool(numbers) and numbers.issubset(speaks_in)
    takes_off = not numbers.isdisjoint((*speaks_in, *co_ordinates))
    return Standing(keeps, takes_off, needs_more=not keeps and len(numbers) > 1)


def why_not_call(folded_name: str, others: Collection[str]) -> str | None:
    """Why somebody cannot have this name on a list; ``None`` = they can.

    Args:
        folded_name: as :func:`office.members.facts.folded` writes it.
        others: those of everybody else on the list, likewise.
    """
    return ALIKE if folded_name in others else None


def why_not_add(listed: int) -> str | None:
    """Why nobody can be added to a list of so many; ``None`` = there is room."""
    return FULL if listed >= STAFF_MAX else None


def next_code(before: int, now_s: int) -> int:
    """Number of a new start code: above the one before, and above any that a restore has forgotten."""
    return max(before + 1, now_s)


def code_until(today: date) -> date:
    """The last day of a start code that is given today."""
    return today + timedelta(days=CODE_DAYS - 1)


def open_check(check: str, until: date | None, today: date) -> str:
    """What units compare a start code with today; empty = it is good no more, and its number still ends the old PIN."""
    return check if until is not None and today <= until else ""
