"""Two years of half hours, compared with a reference that looks at the clock on the wall and counts days one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from office.rota.rules.plan import DAY_MIN, Hours, Pattern, Plan, Post, Turn, shifts
from office.rota.rules.spans import Span
from office.rota.rules.wall_time import LONDON

pytestmark = pytest.mark.one_python

PCSO = Post("pcso", 1)
FIRST = date(2027, 3, 1)  # with 29 February 2028, and both changes of clock twice
BEGIN, END = datetime(2027, 3, 1, tzinfo=UTC), datetime(2029, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=30)
EVERY_DAY = frozenset(range(7))
NIGHTS = Pattern(1, PCSO, Hours(EVERY_DAY, time(22), 480, FIRST), (1, 2, 3))
PATTERNS = {
    "nights in turn": NIGHTS,
    "two weeks each": Pattern(2, PCSO, Hours(EVERY_DAY, time(6), 960, FIRST, None, 2), (4, 5), "week"),
    "whole days": Pattern(3, PCSO, Hours(frozenset({4, 5}), time(1, 30), DAY_MIN, FIRST), (6, 7)),
    "until the hour that is skipped": Pattern(4, PCSO, Hours(EVERY_DAY, time(22), 210, FIRST), (8, 9)),
    "from the hour that comes twice": Pattern(5, PCSO, Hours(EVERY_DAY, time(1, 30), 270, FIRST), (10,)),
    "weekends, every third": Pattern(6, PCSO, Hours(frozenset({5, 6}), time(20), 600, FIRST, None, 3), (11, 12, 13)),
    "ends on leap day": Pattern(
        7, PCSO, Hours(EVERY_DAY, time(9), 480, date(2027, 3, 3), date(2028, 2, 29)), (14, 15, 16)
    ),
}


def on_by_the_wall(pattern: Pattern) -> dict[datetime, int]:
    """Who is on at each step, by a clock on the wall that is read, and days that are counted."""
    begun: list[tuple[datetime, int]] = []
    hours, day, week, times, weeks = pattern.hours, pattern.hours.first, 0, 0, 0
    while day < date(2029, 3, 2):
        if day != hours.first and day.weekday() == 0:
            week += 1
            weeks += week % hours.every_weeks == 0
        is_over = hours.last is not None and day > hours.last
        if day.weekday() in hours.weekdays and week % hours.every_weeks == 0 and not is_over:
            whose = (times if pattern.turn == "shift" else weeks) % len(pattern.people)
            begun.append((datetime.combine(day, hours.begins), pattern.people[whose]))
            times += 1
        day += timedelta(days=1)
    found, place, length = {}, 0, timedelta(minutes=hours.length_min)
    at = BEGIN
    while at < END:
        wall = at.astimezone(LONDON)
        # The second time that the clock shows an hour, all of that hour has been.
        shown = wall.replace(tzinfo=None, minute=59, second=59) if wall.fold else wall.replace(tzinfo=None)
        while place < len(begun) and begun[place][0] + length <= shown:
            place += 1
        if place < len(begun) and begun[place][0] <= shown:
            found[at] = begun[place][1]
        at += STEP
    return found


@pytest.mark.parametrize("name", PATTERNS)
def test_shifts_are_as_the_clock_on_the_wall_says_for_two_years(name: str) -> None:
    pattern = PATTERNS[name]
    found: dict[datetime, int] = {}
    for shift in shifts(Plan([pattern]), Span(BEGIN, END)):
        at = max(shift.span.begins_at, BEGIN)
        assert (at - BEGIN) % STEP == timedelta(0)
        while at < min(shift.span.ends_at, END):
            assert at not in found
            found[at] = shift.account
            at += STEP
    expected = on_by_the_wall(pattern)

    assert expected == found
    assert len(expected) > 1_000


def test_nights_are_nine_hours_in_october_and_seven_in_march() -> None:
    lengths = {
        shift.span.begins_at.date(): (shift.span.ends_at - shift.span.begins_at) / timedelta(hours=1)
        for shift in shifts(Plan([NIGHTS]), Span(BEGIN, END))
    }
    odd = {day: hours for day, hours in lengths.items() if hours != 8}

    assert {
        date(2027, 3, 27): 7,
        date(2027, 10, 30): 9,
        date(2028, 3, 25): 7,
        date(2028, 10, 28): 9,
    } == odd
    assert date(2028, 2, 29) in lengths


def test_nights_of_three_people_follow_one_another_on_every_night() -> None:
    accounts = [shift.account for shift in shifts(Plan([NIGHTS]), Span(BEGIN, END)) if shift.span.begins_at >= BEGIN]

    assert all(after == before % 3 + 1 for before, after in pairwise(accounts))
    assert len(accounts) == (END.date() - BEGIN.date()).days


@pytest.mark.parametrize("turn", ["shift", "week"])
def test_a_window_shows_the_same_as_all_time(turn: Turn) -> None:
    pattern = Pattern(1, PCSO, Hours(frozenset({0, 2, 6}), time(22), 480, FIRST, None, 2), (1, 2, 3), turn)
    everything = shifts(Plan([pattern]), Span(BEGIN, END))
    for day in range(0, 700, 11):
        window = Span(BEGIN + timedelta(days=day), BEGIN + timedelta(days=day + 9, hours=5))
        expected = [shift for shift in everything if shift.span.meets(window)]

        assert expected == shifts(Plan([pattern]), window)
