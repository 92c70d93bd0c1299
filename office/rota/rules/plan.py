"""The rota as people think of it, and the shifts that it comes to.

A pattern says on which days, from when to when and whose turn it is. An override says that for once it is somebody
else, or nobody. Both are of one post: a role in a scheme.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from office.rota.rules.spans import Span, without
from office.rota.rules.wall_time import london, moment
from wire.snapshots import AnsweringRole

DAY = timedelta(days=1)
DAY_MIN = 24 * 60
Turn = Literal["shift", "week"]
"""Who comes next: after each shift, or on each Monday."""


class Post(Struct, frozen=True, order=True):
    """What somebody is on duty as."""

    role: AnsweringRole
    scheme: int


class Hours(Struct, frozen=True):
    """Days and times by the clock on the wall in London.

    Attributes:
        weekdays: on which they begin, 0 = Monday.
        begins: when.
        length_min: by the clock on the wall, 1 to 1,440. From 22:00, 480 is until 06:00 on every night, which is nine
            hours when the clock goes back.
        first: the first day on which they may begin.
        last: the last one; ``None`` = nobody knows yet.
        every_weeks: 2 = in every second week, and so on; the week of ``first`` is one of them.
    """

    weekdays: frozenset[int]
    begins: time
    length_min: int
    first: date
    last: date | None = None
    every_weeks: int = 1

    def holds_on(self, day: date) -> bool:
        """Whether they begin on a day."""
        if day < self.first or (self.last is not None and day > self.last):
            return False
        return day.weekday() in self.weekdays and self.weeks_until(day) % self.every_weeks == 0

    def weeks_until(self, day: date) -> int:
        """How many Mondays lie after ``first`` until ``day``."""
        return (_monday(day) - _monday(self.first)).days // 7

    def times_before(self, day: date) -> int:
        """How often they have begun before a day that is not before ``first``."""
        rounds, week = divmod(self.weeks_until(day), self.every_weeks)
        missed = sum(1 for one in self.weekdays if one < self.first.weekday())
        in_round = len(self.weekdays) if week else sum(1 for one in self.weekdays if one < day.weekday())
        return rounds * len(self.weekdays) + in_round - missed

    def span(self, day: date) -> Span | None:
        """When they begin and end on a day; ``None`` = on that night the clock skips them."""
        end = datetime.combine(day, self.begins) + timedelta(minutes=self.length_min)
        begins_at, ends_at = moment(day, self.begins), moment(end.date(), end.time())
        return Span(begins_at, ends_at) if begins_at < ends_at else None

    def spans(self, window: Span) -> Iterator[tuple[date, Span]]:
        """Those that meet a window, each with the day on which it begins, in order."""
        # The day before: a shift may last for a whole day, into the window.
        day, end = london(window.begins_at).date() - DAY, london(window.ends_at).date()
        while day <= end:
            if self.holds_on(day) and (span := self.span(day)) is not None and span.meets(window):
                yield day, span
            day += DAY


class Pattern(Struct, frozen=True):
    """Shifts of a post that come again and again.

    Attributes:
        number: of its row.
        post: which.
        hours: when.
        people: numbers of accounts, in turn; one = always the same.
        turn: who comes next.
    """

    number: int
    post: Post
    hours: Hours
    people: tuple[int, ...]
    turn: Turn = "shift"

    def account(self, day: date) -> int:
        """Whose shift begins on a day."""
        if self.turn == "week":
            # In the weeks in which it holds.
            return self.people[self.hours.weeks_until(day) // self.hours.every_weeks % len(self.people)]
        return self.people[self.hours.times_before(day) % len(self.people)]


class Override(Struct, frozen=True):
    """For once it is otherwise.

    ========= ============ =================================================
    account   instead_of   means
    ========= ============ =================================================
    given     given        stands in: has the other's shifts, as far as they are in the span
    given     ``None``     is on for the whole span, beside whoever else is
    ``None``  given        the other is not on in the span
    ``None``  ``None``     nobody is on in the span
    ========= ============ =================================================

    Attributes:
        number: of its row. Later ones change what earlier ones have made.
        post: which.
        span: when.
        account: who is on.
        instead_of: who is not.
    """

    number: int
    post: Post
    span: Span
    account: int | None
    instead_of: int | None = None


class Cover(Struct, frozen=True):
    """When somebody should be on duty in a post, whoever it is."""

    post: Post
    hours: Hours


class Shift(Struct, frozen=True, order=True):
    """A person is to be on duty.

    Attributes:
        span: when.
        post: as what.
        account: who.
        pattern: number of the pattern that it is of; 0 = none.
        override: number of the override that it is of, or that has cut it; 0 = none.
    """

    span: Span
    post: Post
    account: int
    pattern: int = 0
    override: int = 0


class Plan(Struct, frozen=True):
    """All that is known."""

    patterns: Sequence[Pattern] = ()
    overrides: Sequence[Override] = ()
    covers: Sequence[Cover] = ()


def shifts(plan: Plan, window: Span) -> list[Shift]:
    """Those that meet a window, whole, by beginning."""
    found = [
        Shift(span, pattern.post, pattern.account(day), pattern.number)
        for pattern in plan.patterns
        for day, span in pattern.hours.spans(window)
    ]
    # Also those that are outside the window: they may cut the rest of a shift.
    for override in sorted(plan.overrides, key=lambda one: one.number):
        found = [part for shift in found for part in _after(shift, override)]
        if override.account is not None and override.instead_of is None:
            found.append(Shift(override.span, override.post, override.account, override=override.number))
    return sorted(shift for shift in found if shift.span.meets(window))


def _after(shift: Shift, override: Override) -> Iterable[Shift]:
    """What an override makes of a shift."""
    stands_in, other = override.account, override.instead_of
    is_meant = shift.account == other or (stands_in is None and other is None)
    if shift.post != override.post or not is_meant or not shift.span.meets(override.span):
        return [shift]
    parts = [replace(shift, span=left, override=override.number) for left in without([shift.span], [override.span])]
    if stands_in is not None:
        taken = shift.span.within(override.span)
        parts.append(replace(shift, span=taken, account=stands_in, override=override.number))
    return parts


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
