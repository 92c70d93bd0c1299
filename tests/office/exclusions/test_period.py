from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.exclusions.rules.period import (
    CATEGORIES,
    CATEGORY_TITLES,
    MONTHS_MAX,
    TARIFF_MONTHS,
    Category,
    Period,
    day_of,
    end_s,
    is_minor,
    last_day,
    start_s,
    tariff,
    why_not_first_day,
    why_not_months,
    why_not_period,
)

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2027, 3, 1), 12, date(2028, 2, 29)),
        (date(2026, 3, 1), 12, date(2027, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 1, 15), 12, date(2027, 1, 14)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
    ],
)
def test_calendar_months(first: date, months: int, last: date) -> None:
    assert last_day(first, months) == last


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, MONTHS_MAX))
def test_months_are_never_shorter_than_february_nor_longer_than_31_days_each(first: date, months: int) -> None:
    days = (last_day(first, months) - first).days + 1

    assert 28 * months <= days <= 31 * months


@pytest.mark.parametrize(
    ("last", "end"),
    [
        (date(2027, 1, 14), datetime(2027, 1, 15, 0, tzinfo=UTC)),
        (date(2027, 7, 14), datetime(2027, 7, 14, 23, tzinfo=UTC)),
        # The clocks change in the night after that day began, and before it ends.
        (date(2027, 3, 28), datetime(2027, 3, 28, 23, tzinfo=UTC)),
        (date(2027, 10, 31), datetime(2027, 11, 1, 0, tzinfo=UTC)),
    ],
)
def test_day_ends_at_the_towns_midnight(last: date, end: datetime) -> None:
    assert end_s(last) == end.timestamp()
    assert day_of(end - timedelta(seconds=1)) == last
    assert day_of(end) == last + timedelta(days=1)
    assert start_s(last + timedelta(days=1)) == end_s(last)


@pytest.mark.parametrize("category", ["violence", "drugs"])
def test_violence_and_drugs_are_twelve_months(category: Category) -> None:
    """G1."""
    assert tariff(category, is_repeat=False) == tariff(category, is_repeat=True) == 12
    assert why_not_months(12, category, is_repeat=False, reason="") is None
    assert why_not_months(6, category, is_repeat=False, reason=" ") is not None
    assert why_not_months(6, category, is_repeat=False, reason="in care, school agrees") is None


def test_tariff_is_there_for_every_category() -> None:
    assert set(TARIFF_MONTHS) == set(CATEGORY_TITLES) == set(CATEGORIES)
    assert tariff("theft", is_repeat=False) < tariff("theft", is_repeat=True)


@pytest.mark.parametrize("months", [0, -1, MONTHS_MAX + 1])
def test_months_out_of_range_are_refused_with_any_reason(months: int) -> None:
    assert why_not_months(months, "theft", is_repeat=False, reason="long story") is not None


@pytest.mark.parametrize(
    ("first", "last", "is_right"),
    [
        (TODAY, TODAY, True),
        (TODAY + timedelta(days=1), TODAY, False),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), False),
        (TODAY - timedelta(days=9), TODAY, True),
        (TODAY, last_day(TODAY, MONTHS_MAX), True),
        (TODAY, last_day(TODAY, MONTHS_MAX) + timedelta(days=1), False),
    ],
)
def test_period(first: date, last: date, *, is_right: bool) -> None:
    assert (why_not_period(Period(first, last), TODAY) is None) == is_right


def test_first_day_is_neither_over_nor_far_away() -> None:
    assert why_not_first_day(TODAY, TODAY) is None
    assert why_not_first_day(TODAY - timedelta(days=1), TODAY) is not None
    assert why_not_first_day(TODAY + timedelta(days=400), TODAY) is not None


@pytest.mark.parametrize(
    ("born_on", "believed", "minor"),
    [
        (date(2008, 11, 27), True, False),
        (date(2008, 11, 28), False, True),
        (None, True, True),
        (None, False, False),
    ],
)
def test_minor_on_the_day(born_on: date | None, *, believed: bool, minor: bool) -> None:
    assert is_minor(born_on, TODAY, is_believed_minor=believed) == minor


def test_born_on_29_february_is_18_on_1_march() -> None:
    assert is_minor(date(2008, 2, 29), date(2026, 2, 28), is_believed_minor=False)
    assert not is_minor(date(2008, 2, 29), date(2026, 3, 1), is_believed_minor=False)
