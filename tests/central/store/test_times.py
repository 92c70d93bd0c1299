"""N13: the times of central's earlier runs, for what was pressed on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from central.store.database import Database

pytestmark = pytest.mark.finding(2)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STEADY = timedelta(days=20_000)
HALF = timedelta(minutes=30)


def test_time_of_an_earlier_run_of_this_boot_is_remembered_for_three_days(database: Database) -> None:
    assert () == database.begin_time("boot-1", STEADY, NOON)
    later = NOON + timedelta(hours=1)
    assert (-HALF,) == database.begin_time("boot-1", STEADY + HALF, later + HALF)
    assert (HALF,) == database.begin_time("boot-1", STEADY, later + timedelta(minutes=5))

    much_later = later + timedelta(days=3, hours=1)
    assert () == database.begin_time("boot-1", STEADY, much_later)


def test_times_within_five_seconds_are_one(database: Database) -> None:
    database.begin_time("boot-1", STEADY, NOON)

    assert () == database.begin_time("boot-1", STEADY + timedelta(seconds=5), NOON + timedelta(minutes=1))


def test_time_of_another_boot_of_the_machine_says_nothing(database: Database) -> None:
    """The steady clock began anew."""
    database.begin_time("boot-1", STEADY, NOON)

    assert () == database.begin_time("boot-2", STEADY + HALF, NOON + timedelta(minutes=1))
    assert () == database.begin_time("boot-1", STEADY, NOON + timedelta(minutes=2))


def test_run_that_begins_at_the_very_moment_of_an_earlier_one_takes_its_place(database: Database) -> None:
    database.begin_time("boot-1", STEADY, NOON)

    assert (HALF,) == database.begin_time("boot-1", STEADY - HALF, NOON)
