"""By what each person on duty can be reached, and when that was last so.

Only in memory: after a restart the time starts again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import field

from central.core.asking_lines import WentOffLine
from central.core.undo import Record, Table
from central.core.view import DutyKey

HANDED_OVER_FOR: Final = timedelta(days=7)
"""What somebody left for the next is shown this long."""
WENT_OFF_MAX: Final = 64


class Duty(Record):
    """Without it, someone who went home without a word would stay on duty for ever, and shops would be told so."""

    _signs: Table[DutyKey, datetime] = field(default_factory=Table)
    # Of those who went on duty by a phone: when it could last be reached. Says nothing of a page.
    _reached: Table[DutyKey, datetime] = field(default_factory=Table)
    _went_off: tuple[WentOffLine, ...] = ()

    def take_sign(self, by: DutyKey, on_duty: Collection[DutyKey], now_at: datetime) -> None:
        """``by`` did something, or their open page reported; ignored if they are not on duty."""
        if by in on_duty:
            self._signs[by] = now_at

    def take_reach(self, person: DutyKey, now_at: datetime) -> None:
        """The phone by which ``person`` went on duty can be reached now."""
        self._reached[person] = now_at

    def begin(self, person: DutyKey, now_at: datetime) -> None:
        """``person`` is on duty from ``now_at``."""
        self._signs[person] = now_at

    def end(self, person: DutyKey) -> None:
        """``person`` is no longer on duty."""
        self._signs.pop(person, None)
        self._reached.pop(person, None)

    def take_went_off(self, went_off: Iterable[WentOffLine]) -> None:
        """These went off duty, the latest last."""
        self._went_off = (*self._went_off, *went_off)[-WENT_OFF_MAX:]

    def went_off(self, now_at: datetime) -> tuple[WentOffLine, ...]:
        """Who went off duty of late, the latest last."""
        return tuple(one for one in self._went_off if now_at - one.at < HANDED_OVER_FOR)

    def shift(self, step: timedelta) -> None:
        """The clock was set, or the machine stood still and nobody could give a sign."""
        for times in (self._signs, self._reached):
            times.update([(person, at + step) for person, at in times.items()])

    def has_page(self, person: DutyKey, now_at: datetime, within: timedelta) -> bool:
        """Whether a page of theirs gave a sign of life within this time."""
        return person in self._signs and now_at - self._signs[person] <= within

    def is_stale(self, person: DutyKey, now_at: datetime, after: timedelta) -> bool:
        """For longer than ``after`` neither a sign of life nor a phone that can be reached, though on duty."""
        if person not in self._signs:
            return False
        return now_at - max(self._signs[person], self._reached.get(person, self._signs[person])) > after

    def stale(self, now_at: datetime, after: timedelta) -> tuple[DutyKey, ...]:
        """All of whom that is so."""
        return tuple(person for person in self._signs if self.is_stale(person, now_at, after))
