"""Central's own frame counters, and an older copy of the disk they are reserved on (N2)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from central.backup.numbers import NO_NUMBERS, Numbers, go_on_from
from central.core.restored import COUNTERS_MAX
from central.counters import COUNTER_BLOCK, RAISES_MAX, OwnCounters, begin_by_clock
from central.store.database import Database, resolve_url
from central.store.recalling import recall
from runtime.backup_rules import BEGAN_AT
from tests.support.central_town import START
from wire.ids import U32_MAX

pytestmark = pytest.mark.finding(4)


def opened(folder: Path) -> Database:
    database = Database(resolve_url("sqlite:///central.db", folder))
    database.open()
    return database


def test_counters_go_on_above_one_that_a_node_has_seen_also_after_a_restart(tmp_path: Path) -> None:
    database = opened(tmp_path)
    counters = OwnCounters(database.reserve_counters, lambda: BEGAN_AT)
    first = counters.next()
    counters.raise_above(5 * COUNTER_BLOCK)
    raised = counters.next()
    database.close()
    again = opened(tmp_path)

    assert (1, 5 * COUNTER_BLOCK + 1) == (first, raised)
    assert OwnCounters(again.reserve_counters, lambda: BEGAN_AT).next() > raised
    again.close()


def test_counters_are_not_spent_on_what_is_lower_than_ours(tmp_path: Path) -> None:
    database = opened(tmp_path)
    OwnCounters(database.reserve_counters, lambda: BEGAN_AT).next()
    counters = OwnCounters(database.reserve_counters, lambda: BEGAN_AT)
    for seen in range(1, COUNTER_BLOCK):
        counters.raise_above(seen)

    assert COUNTER_BLOCK + 1 == counters.next()
    database.close()


def test_counters_are_not_used_up_by_a_lying_node(tmp_path: Path) -> None:
    database = opened(tmp_path)
    counters = OwnCounters(database.reserve_counters, lambda: BEGAN_AT)
    for _ in range(2 * RAISES_MAX):
        counters.raise_above(counters.next() + COUNTER_BLOCK)

    assert counters.next() < 3 * RAISES_MAX * COUNTER_BLOCK
    database.close()


def test_counters_too_high_to_be_true_are_no_fault_of_the_disk_and_drown_no_true_one(tmp_path: Path) -> None:
    database = opened(tmp_path)
    counters = OwnCounters(database.reserve_counters, lambda: BEGAN_AT)
    for lie in range(RAISES_MAX):
        counters.raise_above(U32_MAX - RAISES_MAX + lie)
    counters.raise_above(5 * COUNTER_BLOCK)

    assert 5 * COUNTER_BLOCK + 1 == counters.next()
    database.close()


def test_older_copy_of_a_database_goes_on_above_a_restored_one_that_nodes_have_seen(tmp_path: Path) -> None:
    """A restore begins where the clock says; somebody then puts back a file of before that by hand."""
    at = BEGAN_AT + timedelta(days=330)
    database = opened(tmp_path)
    counters = OwnCounters(database.reserve_counters, lambda: at)
    restored = go_on_from(Numbers(counters.next(), 1), NO_NUMBERS, at - timedelta(days=1)).counter
    for lie in (U32_MAX, begin_by_clock(at) + COUNTERS_MAX + 1):
        counters.raise_above(lie)
    assert counters.next() < restored

    counters.raise_above(restored + 9)

    assert restored + 10 == counters.next()
    database.close()


def test_entry_number_that_was_raised_is_remembered_and_never_lowered(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.raise_entry(900)
    database.raise_entry(400)

    found = recall(database, START)
    assert (900, 900) == (found.last_entry, found.raised_entry)
    database.close()
