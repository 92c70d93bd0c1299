"""When each person on duty last gave a sign of life. Only in memory: after a restart the time starts again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from msgspec import field

from central.core.undo import Record, Table
from central.core.view import DutyKey


class Duty(Record):
    """Without it, someone who went home without a word would stay on duty for ever, and shops would be told so."""

    _signs: Table[DutyKey, datetime] = field(default_factory=Table)

    def take_sign(self, by: DutyKey, on_duty: Collection[DutyKey], now_at: datetime) -> None:
        """``by`` did something, or their open page reported; ignored if they are not on duty."""
        if by in on_duty:
            self._signs[by] = now_at

    def begin(self, person: DutyKey, now_at: datetime) -> None:
        """``person`` is on duty from ``now_at``."""
        self._signs[person] = now_at

    def end(self, person: DutyKey) -> None:
        """``person`` is no longer on duty."""
        self._signs.pop(person, None)

    def shift(self, step: timedelta) -> None:
        """The clock was set, or the machine stood still and nobody could give a sign."""
        self._signs.update([(person, at + step) for person, at in self._signs.items()])

    def is_stale(self, person: DutyKey, now_at: datetime, after: timedelta) -> bool:
        """No sign of life for longer than ``after``, though on duty."""
        return person in self._signs and now_at - self._signs[person] > after

    def stale(self, now_at: datetime, after: timedelta) -> tuple[DutyKey, ...]:
        """All without a sign of life for longer than ``after``."""
        return tuple(person for person in self._signs if self.is_stale(person, now_at, after))
