"""Bad input gets one clear sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from office.rota.rules import refusals
from office.rota.rules.plan import Post, Shift
from office.rota.rules.refusals import length_min, span_of, why_not_days, why_not_people, why_not_swap
from office.rota.rules.spans import Span

PCSO, SERGEANT, OFFICER = Post("pcso", 1), Post("duty-sergeant", 1), Post("pcso", 2)
JO, SAM = 1, 2
HOLDERS = {(JO, PCSO), (SAM, PCSO), (JO, SERGEANT), (JO, OFFICER), (SAM, OFFICER)}
NAMES = {JO: "Jo Patel", SAM: "Sam Reed"}
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("begins", "ends", "hours", "expected"),
    [
        (time(22), time(6), None, 480),
        (time(8), time(20), None, 720),
        (time(23, 30), time(23, 15), None, 1_425),
        (time(8), None, 24, 1_440),
        (time(8), None, 7.5, 450),
        (time(8), time(8), None, refusals.EMPTY),
        (time(8), None, 0, refusals.EMPTY),
        (time(8), None, -2, refusals.EMPTY),
        (time(8), None, 30, refusals.TOO_LONG),
        (time(8), None, 1e308, refusals.TOO_LONG),
        (time(8), None, -1e308, refusals.EMPTY),
        (time(8), time(9), 1, refusals.BOTH_ENDS),
        (time(8), None, None, refusals.NO_END),
    ],
)
def test_length_is_by_the_clock_on_the_wall(
    begins: time, ends: time | None, hours: float | None, expected: int | str
) -> None:
    assert expected == length_min(begins, ends, hours)


def test_days_that_cannot_be_are_refused() -> None:
    sunday = MONDAY + timedelta(days=6)

    assert refusals.NO_DAYS == why_not_days((), MONDAY, None, 1)
    assert refusals.DAYS_BACKWARDS == why_not_days({0}, MONDAY, MONDAY - timedelta(days=1), 1)
    assert refusals.NEVER == why_not_days({6}, MONDAY, sunday - timedelta(days=1), 1)
    assert refusals.NEVER == why_not_days({0}, sunday, sunday + timedelta(days=1), 2)
    assert why_not_days({0}, sunday, sunday + timedelta(days=8), 2) is None
    assert why_not_days({6}, MONDAY, sunday, 1) is None
    assert why_not_days({6}, MONDAY, MONDAY + timedelta(days=900), 12) is None
    assert why_not_days({6}, MONDAY, None, 13) is not None


def test_people_without_the_role_are_refused_by_name() -> None:
    assert why_not_people((JO, SAM), PCSO, HOLDERS, NAMES) is None
    assert refusals.NO_PEOPLE == why_not_people((), PCSO, HOLDERS, NAMES)
    assert (why_not_people((JO, SAM), SERGEANT, HOLDERS, NAMES) or "").startswith("Sam Reed is not Duty sergeant")
    assert "or has no account" in (why_not_people((9,), PCSO, HOLDERS, NAMES) or "")
    assert why_not_people((JO,) * 51, PCSO, HOLDERS, NAMES) is not None


def test_a_span_is_neither_empty_nor_backwards_nor_too_long() -> None:
    day = (MONDAY, time(8))

    assert span_of(day, (MONDAY, time(20))) == Span(NOW - timedelta(hours=4), NOW + timedelta(hours=8))
    assert span_of(day, day) == refusals.EMPTY
    assert span_of(day, (MONDAY, time(7))) == refusals.BACKWARDS
    assert span_of(day, (MONDAY + timedelta(days=1), time(14))) == refusals.TOO_LONG  # 30 hours
    assert span_of(day, (MONDAY + timedelta(days=70), time(8)), days_max=62) == "Enter 62 days at most."
    assert isinstance(span_of(day, (MONDAY + timedelta(days=14), time(8)), days_max=62), Span)
    assert "skips" in str(span_of((date(2027, 3, 28), time(1, 10)), (date(2027, 3, 28), time(1, 50))))


def test_a_whole_day_may_last_25_hours_when_the_clock_goes_back() -> None:
    found = span_of((date(2026, 10, 24), time(12)), (date(2026, 10, 25), time(12)))

    assert isinstance(found, Span)
    assert found.ends_at - found.begins_at == timedelta(hours=25)


def shift(account: int, begins_h: float, post: Post = PCSO) -> Shift:
    begins_at = NOW + timedelta(hours=begins_h)
    return Shift(Span(begins_at, begins_at + timedelta(hours=8)), post, account)


@pytest.mark.parametrize(
    ("given", "taken", "expected"),
    [
        (shift(JO, 1), shift(SAM, 30), None),
        (shift(JO, 1, OFFICER), shift(SAM, 30, OFFICER), None),
        (shift(JO, 1), shift(JO, 30), "Both are yours"),
        (shift(JO, 1), shift(SAM, 3), None),
        (shift(JO, 1), shift(SAM, 1), "both on then already"),
        (shift(JO, 1, OFFICER), shift(SAM, 1, OFFICER), "both on then already"),
        (shift(JO, -1), shift(SAM, 30), "has begun"),
        (shift(JO, 1), shift(SAM, 0), "has begun"),
        (shift(JO, 1), shift(SAM, 63 * 24), "next 62 days"),
        (shift(JO, 1), shift(SAM, 30, OFFICER), "two schemes"),
        (shift(JO, 1, SERGEANT), shift(SAM, 30), "is not Duty sergeant"),
    ],
)
def test_swaps_that_cannot_be_are_refused(given: Shift, taken: Shift, expected: str | None) -> None:
    found = why_not_swap(given, taken, HOLDERS, NOW)

    assert found is None if expected is None else expected in (found or "")
