"""What of a decided case may be put right without a new decision, and what is told of it (UK GDPR Art. 5(1)(d), 16).

Members judged what was done. Its words, day and place may turn out wrong; another category is sound only where the
tariff is the same, because members decided on that too. Of the old words nothing is kept: the history says which were
corrected, by whom and why, and the person holds the paper that said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from office.exclusions.rules.period import CATEGORIES, TARIFF_MONTHS, Category

FIELDS: Final[Mapping[str, str]] = {
    "category": "what it was",
    "conduct": "what happened",
    "evidence": "the evidence",
    "happened_on": "the day",
    "happened_at": "the place",
}
"""What may be corrected, as the history calls it."""
ON_PAPER: Final = frozenset({"category", "conduct", "happened_on", "happened_at"})
"""What the person's notice says too."""


class Said(Struct, frozen=True):
    """What a case says of what happened."""

    category: Category
    conduct: str
    evidence: str
    happened_on: date
    happened_at: str


def changed(was: Said, now: Said) -> tuple[str, ...]:
    """Which of :data:`FIELDS` are not the same."""
    return tuple(field for field in FIELDS if getattr(was, field) != getattr(now, field))


def categories_like(category: str) -> tuple[Category, ...]:
    """Those with the tariff of this one, itself among them; none of an erased case."""
    return tuple(one for one in CATEGORIES if TARIFF_MONTHS[one] == TARIFF_MONTHS.get(category))  # type: ignore[call-overload]


def why_not_correct(was: Said, now: Said, nominated_on: date) -> str | None:
    """Why a correction is refused, and what to do; ``None`` = it may be made.

    Args:
        was: what the case says.
        now: what it is to say.
        nominated_on: day on which it was nominated.
    """
    if not changed(was, now):
        return "Nothing is changed. Correct what is wrong first."
    if now.happened_on > nominated_on:
        return "It was nominated before that day. Enter the day on which it happened."
    if now.category not in categories_like(was.category):
        return "The tariff for this is another, and members decided on it. Revoke the case, and nominate anew."
    return None


def told(fields: Iterable[str], reason: str) -> str:
    """For the history: what was corrected, then why."""
    return f"Corrected: {', '.join(FIELDS[field] for field in fields)}.\n{reason}"
