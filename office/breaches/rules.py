"""What follows a breach, who may see whom it is about, and what the shop that reported it is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal, get_args

from msgspec import Struct

from office.exclusions.rules.life import IN_FORCE
from office.exclusions.rules.life import State as CaseState
from office.exclusions.rules.reach import MinorsPolicy, Shown
from wire.gallery_reports import OUTCOME_CHARS_MAX, Kind, Left
from wire.snapshots import RoleSlug

ROLES: Final[tuple[RoleSlug, ...]] = ("co-ordinator", "police")
"""Who deals with a breach in their scheme (G9)."""
State = Literal["received", "in-hand", "closed"]
STATE_TITLES: Final[Mapping[State, str]] = {
    "received": "Nobody has dealt with it",
    "in-hand": "In hand",
    "closed": "Closed",
}
RecordKind = Kind | Literal["incident"]
"""What shops report about somebody, and an alert about nobody, which somebody at the office has written down."""
KIND_TITLES: Final[Mapping[RecordKind, str]] = {"breach": "Breach", "sighting": "Sighting", "incident": "Incident"}
Happened = Literal["attack", "assist", "theft", "disorder", "other"]
HAPPENED_TITLES: Final[Mapping[Happened, str]] = {
    "attack": "Attack, or a threat to a person",
    "assist": "Staff called for assistance",
    "theft": "Theft",
    "disorder": "Disorder",
    "other": "Something else",
}
"""Of an incident; the first four are kinds of alerts, too."""
LEFT_TITLES: Final[Mapping[Left, str]] = {
    "yes": "Left when asked",
    "no": "Did not leave when asked",
    "not-asked": "Was not asked to leave",
}
Action = Literal["warned", "extended", "police-informed", "no-action"]
ACTION_TITLES: Final[Mapping[Action, str]] = {
    "warned": "The person was warned",
    "extended": "The exclusion was extended",
    "police-informed": "The police were informed",
    "no-action": "No further action",
}
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
TOLD_FOR: Final = timedelta(days=30)
"""So long after it was closed the shop is still told."""
OPEN_TOLD_FOR: Final = timedelta(days=365)
UNKNOWN_KEPT: Final = timedelta(days=365)
"""A report about a case that is not there, and an incident, go with no case: they go by themselves."""
COPY_KEPT: Final = timedelta(days=30)
"""So long the shop's contact can read the copy of a statement."""
_EXCLUDED: Final[frozenset[CaseState]] = IN_FORCE | {"expired"}
"""The members have excluded the person, and nobody took it back."""
_WORDS: Final[Mapping[str, str]] = {
    "warned": "The person was warned.",
    "extended": "The ban was extended.",
    "police-informed": "The police were informed.",
    "no-action": "No further action.",
}
_COPY: Final = " Your contact can read a copy of the statement at the office."
_NOTHING_YET: Final[Mapping[State, str]] = {
    "received": "The co-ordinator and the police have your report.",
    "in-hand": "Somebody is dealing with your report.",
    "closed": "Your report was dealt with.",
}


class Told(Struct, frozen=True):
    """What the shop that reported is told.

    Attributes:
        state: of the breach.
        words: a sentence or a few, that name nobody.
        at: since when.
    """

    state: State
    words: str
    at: datetime


def why_not_add(state: State, action: str, crime_reference: str, *, has_case: bool) -> str | None:
    """Why an action cannot be added, and what to do; ``None`` = it can.

    Args:
        state: of the breach.
        action: what was done.
        crime_reference: the police's.
        has_case: whether a case was chosen as the one that was extended.
    """
    if state == "closed":
        return "This is closed. What is done now belongs to the person’s case."
    if action not in ACTIONS:
        return "Choose what was done."
    lacking = missing(action, crime_reference, has_case=has_case)
    return None if lacking is None else lacking[1]


def missing(action: str, crime_reference: str, *, has_case: bool) -> tuple[str, str] | None:
    """What an action needs and is not there: which field, and what to do; ``None`` = nothing."""
    if action == "police-informed" and not crime_reference.strip():
        return "crime_reference", "Enter the crime or incident reference that the police gave."
    if action == "extended" and not has_case:
        return "extended", "Choose the case by which the exclusion was extended."
    return None


def next_state(*, closes: bool) -> State:
    """What it is once an action was added."""
    return "closed" if closes else "in-hand"


def told(state: State, actions: Iterable[str], at: datetime, *, has_copy: bool = False) -> Told:
    """What the shop is told of a breach.

    Args:
        state: of the breach.
        actions: what was done, in order.
        at: since when it is so.
        has_copy: a copy of the reporter's statement lies ready for the shop's contact.
    """
    words = " ".join(dict.fromkeys(_WORDS[one] for one in actions if one in _WORDS)) or _NOTHING_YET[state]
    return Told(state, f"{words}{_COPY if has_copy else ''}"[:OUTCOME_CHARS_MAX], at)


def is_told(received_at: datetime, closed_at: datetime | None, now: datetime) -> bool:
    """Whether the shop is still told."""
    return now < (received_at + OPEN_TOLD_FOR if closed_at is None else closed_at + TOLD_FOR)


def is_over(state: CaseState, last_on: date | None, today: date) -> bool:
    """Whether an exclusion that had days holds no more."""
    return last_on is not None and (state not in IN_FORCE or last_on < today)


def may_see_identity(case: Shown, policy: MinorsPolicy, *, is_co_ordinator: bool, is_register_on: bool) -> bool:
    """Whether name and face are shown to somebody who deals with the breach.

    The ban may have ended by now: the breach was while it lasted. Who was never excluded, or is not to have been, what
    is contested, under-18s who are not shown beyond those who decide and serve, and all while the register is off, are
    the co-ordinators' alone.
    """
    if is_co_ordinator:
        return True
    if not is_register_on or case.period is None or case.state not in _EXCLUDED:
        return False
    return not case.is_restricted and (not case.is_minor or (policy.dpia_allows and bool(case.minor_shown_by)))
