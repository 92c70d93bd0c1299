"""The newest rota snapshot: who is to be on duty when, and who is asked (ADR 0044). Nothing, until one comes.

Its shifts are moments: no calendar is computed here. The rota puts nobody on duty; it says who is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import field

from central.core.asking_lines import ShiftLine
from central.core.undo import Record, Table
from wire.snapshots import PolicyEntry, Rota, ShiftEntry

FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = (FOR_EVER, FOR_EVER)
TOLD_BEFORE: Final = timedelta(minutes=15)
"""How long before it begins the person of a shift is told."""


class RotaBook(Record):
    """Replaced as a whole by each snapshot."""

    _policies: Table[tuple[int, str], PolicyEntry] = field(default_factory=Table)
    # By role and scheme, as the snapshot has them: by beginning.
    _shifts: Table[tuple[str, int], tuple[ShiftEntry, ...]] = field(default_factory=Table)
    _names: Table[int, str] = field(default_factory=Table)
    _next: tuple[ShiftLine, ...] = ()
    # The moments for which that holds.
    _next_for: tuple[datetime, datetime] = _NEVER
    _near: tuple[ShiftEntry, ...] = ()
    _near_for: tuple[datetime, datetime] = _NEVER

    def take(self, rota: Rota) -> None:
        """Take a newer snapshot."""
        self._policies = Table(((one.scheme, kind), one) for one in rota.policies for kind in one.kinds)
        shifts: dict[tuple[str, int], list[ShiftEntry]] = {}
        for shift in rota.shifts:
            shifts.setdefault((shift.role, shift.scheme), []).append(shift)
        self._shifts = Table((key, tuple(sorted(some, key=_begins_at))) for key, some in shifts.items())
        self._next_for = self._near_for = _NEVER

    def take_names(self, names: Iterable[tuple[int, str]]) -> None:
        """What the people of the newest list are called."""
        self._names, self._next_for = Table(names), _NEVER

    def name(self, account: int) -> str:
        """What they are called; empty = they have no account any more."""
        return self._names.get(account, "")

    def policy(self, scheme: int, kind: str) -> PolicyEntry | None:
        """For alerts of this kind (its slug) in a scheme."""
        return self._policies.get((scheme, kind))

    def named(self, role: str, scheme: int, at: datetime) -> tuple[int, ...]:
        """Accounts that the rota names for that moment."""
        found = []
        for shift in self._shifts.get((role, scheme), ()):
            if shift.begins_at > at:
                break
            if at < shift.ends_at:
                found.append(shift.account)
        return tuple(dict.fromkeys(found))

    def near(self, now_at: datetime) -> tuple[ShiftEntry, ...]:
        """Shifts that run now, or begin within :data:`TOLD_BEFORE`; the earliest first."""
        from_at, until_at = self._near_for
        if not from_at <= now_at < until_at:
            shifts = sorted((one for some in self._shifts.values() for one in some), key=_begins_at)
            self._near = tuple(one for one in shifts if one.begins_at - TOLD_BEFORE <= now_at < one.ends_at)
            turns = (at for one in shifts for at in (one.begins_at - TOLD_BEFORE, one.ends_at))
            self._near_for = now_at, min((at for at in turns if at > now_at), default=FOR_EVER)
        return self._near

    def next_shifts(self, now_at: datetime) -> tuple[ShiftLine, ...]:
        """Of each role in each scheme the shift that begins next, the earliest first; without those who have left."""
        begins_at, ends_at = self._next_for
        if not begins_at <= now_at < ends_at:
            lines = (self._next_of(key, now_at) for key in self._shifts)
            self._next = tuple(sorted(filter(None, lines), key=lambda one: (one.begins_at, one.scheme, one.role)))
            self._next_for = now_at, self._next[0].begins_at if self._next else FOR_EVER
        return self._next

    def _next_of(self, key: tuple[str, int], now_at: datetime) -> ShiftLine | None:
        role, scheme = key
        for shift in self._shifts[key]:
            if shift.begins_at > now_at and (name := self.name(shift.account)):
                return ShiftLine(scheme, role, name, shift.begins_at)
        return None


def _begins_at(shift: ShiftEntry) -> datetime:
    return shift.begins_at
