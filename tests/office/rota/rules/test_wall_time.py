"""Wall time in London: every change of clock of twenty years."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.rota.rules.wall_time import moment

DAYS = st.dates(date(2000, 1, 1), date(2037, 12, 31))
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (date(2026, 10, 25), time(0, 59), at(2026, 10, 24, 23, 59)),
        (date(2026, 10, 25), time(1), at(2026, 10, 25, 0)),  # comes twice: the first
        (date(2026, 10, 25), time(1, 59), at(2026, 10, 25, 0, 59)),
        (date(2026, 10, 25), time(2), at(2026, 10, 25, 2)),
        (date(2027, 3, 28), time(0, 59), at(2027, 3, 28, 0, 59)),
        (date(2027, 3, 28), time(1), at(2027, 3, 28, 1)),  # skipped: the moment of the change
        (date(2027, 3, 28), time(1, 30), at(2027, 3, 28, 1)),
        (date(2027, 3, 28), time(1, 59), at(2027, 3, 28, 1)),
        (date(2027, 3, 28), time(2), at(2027, 3, 28, 1)),
        (date(2028, 2, 29), time(12), at(2028, 2, 29, 12)),
        (date(2026, 7, 1), time(0), at(2026, 6, 30, 23)),
    ],
)
def test_moment_is_by_the_stated_rule(day: date, clock: time, expected: datetime) -> None:
    assert expected == moment(day, clock)


@given(DAYS, TIMES, st.integers(0, 3 * 24 * 60))
def test_moment_is_never_earlier_for_a_later_time(day: date, clock: time, later_min: int) -> None:
    later = datetime.combine(day, clock) + timedelta(minutes=later_min)

    assert moment(day, clock) <= moment(later.date(), later.time())
