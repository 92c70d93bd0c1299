"""What the snapshot of the rota says: shifts of the next two weeks as moments, and who is asked about what."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from office.accounts.models import Scheme
from office.escalation.policies import entry_of, in_force
from office.rota.planned import good_shifts
from office.rota.rules.spans import Span
from wire.snapshots import POLICIES_MAX, SHIFTS_MAX, PolicyEntry, ShiftEntry

logger = logging.getLogger(__name__)

AHEAD: Final = timedelta(days=14)
BACK: Final = timedelta(days=1)
"""A shift that has just ended may still be what a reader with another clock is in."""
RotaContent = tuple[datetime, tuple[ShiftEntry, ...], tuple[PolicyEntry, ...]]
"""``through``, ``shifts`` and ``policies`` of :class:`wire.snapshots.Rota`."""
_told: set[str] = set()


def rota(at: datetime) -> RotaContent:
    """What is to be published at a time. It says the same for an hour, by the clock, unless something changes."""
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    through = hour + AHEAD
    entries = {
        ShiftEntry(
            role=shift.post.role,
            scheme=shift.post.scheme,
            account=shift.account,
            begins_at=shift.span.begins_at,
            ends_at=shift.span.ends_at,
        ): None
        for shift in good_shifts(Span(hour - BACK, through))
    }
    shifts = tuple(entries)
    if len(shifts) > SHIFTS_MAX:
        through = max(shifts[SHIFTS_MAX].begins_at, hour)
        _tell(f"the rota has more than {SHIFTS_MAX:,} shifts: it is published until {through:%d.%m.%Y %H:%M} UTC only")
        shifts = shifts[:SHIFTS_MAX]
    return through, shifts, policies()


def policies() -> tuple[PolicyEntry, ...]:
    """Those in force, by scheme. What no reader would take is left out, and never stops the rest."""
    usable = tuple(_usable())
    if len(usable) > POLICIES_MAX:
        _tell(f"there are {len(usable)} policies: the last {len(usable) - POLICIES_MAX} by scheme are not published")
    return usable[:POLICIES_MAX]


def _usable() -> Iterator[PolicyEntry]:
    taken: set[tuple[int, str]] = set()
    for version in in_force(list(Scheme.objects.values_list("pk", flat=True))):
        try:
            entry = entry_of(version)
        except msgspec.ValidationError as e:
            _tell(f"policy {version.policy_id} is not published: {e}")
            continue
        kinds = {(entry.scheme, kind) for kind in entry.kinds}
        if kinds & taken:
            _tell(f"policy {version.policy_id} is not published: another has one of its kinds")
            continue
        taken |= kinds
        yield entry


def _tell(what: str) -> None:
    """Once, not at each look."""
    if what not in _told:
        _told.add(what)
        logger.error("%s", what)
