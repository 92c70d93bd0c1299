"""Rules of the numbers from which a restored central goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from central.backup.numbers import NO_NUMBERS, USED_HERE_MAX, Numbers, go_on_from
from central.core.restored import COUNTERS_MAX
from central.counters import BY_CLOCK_MAX
from wire.ids import U32_MAX

AT = datetime(2026, 11, 28, tzinfo=UTC)


def test_numbers_rise_with_the_clock_though_the_copy_is_the_same() -> None:
    copy = Numbers(10_000, 7)
    first = go_on_from(copy, NO_NUMBERS, AT)
    second = go_on_from(copy, NO_NUMBERS, AT + timedelta(minutes=10))

    assert (2_400, 2_400) == (second.counter - first.counter, second.entry - first.entry)


def test_numbers_of_a_copy_above_the_clock_are_raised_by_more_than_a_backup_can_be_behind() -> None:
    copy = Numbers(1 << 31, 1 << 40)

    assert Numbers((1 << 31) + COUNTERS_MAX, (1 << 40) + COUNTERS_MAX) == go_on_from(copy, NO_NUMBERS, AT)


def test_numbers_used_here_count_unless_they_are_too_high_to_be_true() -> None:
    base = go_on_from(NO_NUMBERS, NO_NUMBERS, AT).counter
    used, wild = Numbers(base + 500, base + 900), Numbers(U32_MAX, base + USED_HERE_MAX + 1)

    assert used == go_on_from(NO_NUMBERS, used, AT)
    assert Numbers(base, base) == go_on_from(NO_NUMBERS, wild, AT)


@pytest.mark.parametrize(("year", "number"), [(1970, COUNTERS_MAX), (2500, BY_CLOCK_MAX)])
def test_clock_that_is_far_off_does_not_use_up_the_numbers(year: int, number: int) -> None:
    assert number == go_on_from(NO_NUMBERS, NO_NUMBERS, datetime(year, 1, 1, tzinfo=UTC)).counter
    assert BY_CLOCK_MAX + 200 * COUNTERS_MAX < U32_MAX
