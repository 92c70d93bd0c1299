"""Central's own frame counters, and an older copy of the disk they are reserved on (N2)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from central.backup.numbers import NO_NUMBERS, Numbers, go_on_from
from central.core import events as ev
from central.core.restored import COUNTERS_MAX
from central.counters import COUNTER_BLOCK, RAISES_MAX, OwnCounters, begin_by_clock
from central.store.database import Database, resolve_url
from central.store.errors import StoreError
from central.store.recalling import recall
from runtime.backup_rules import BEGAN_AT
from tests.support.central_steps import StepRig
from tests.support.central_town import CORNER, START
from wire.frames import Alert
from wire.ids import U32_MAX
from wire.kinds import AlertKind
from wire.messages import Sync

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


def test_counters_that_the_disk_would_not_give_use_up_no_raise(tmp_path: Path) -> None:
    database = opened(tmp_path)
    refusals = [StoreError("disk full")] * 2 * RAISES_MAX

    def reserve(count: int, above: int) -> range:
        if above and refusals:
            raise refusals.pop()
        return database.reserve_counters(count, above)

    counters = OwnCounters(reserve, lambda: BEGAN_AT)
    for _ in tuple(refusals):
        with pytest.raises(StoreError):
            counters.raise_above(5 * COUNTER_BLOCK)
    counters.raise_above(5 * COUNTER_BLOCK)

    assert 5 * COUNTER_BLOCK + 1 == counters.next()
    database.close()


class RaisingRig(StepRig):
    """Its disk may refuse to raise the numbers."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.raised: list[str] = []
        self.refused: tuple[str, ...] = ()
        self.loop._raise_counter = lambda counter: self.take_raised("counter", counter)

    def take_raised(self, what: str, number: int) -> None:
        if what in self.refused:
            raise StoreError("disk full")
        self.raised.append(f"{what} {number}")

    def raise_entry(self, entry: int) -> None:
        self.take_raised("entry", entry)

    def sync(self, nonce: str, seen: int) -> None:
        """A shop that knows higher numbers."""
        sync = Sync(boot_id="n1", nonce=nonce * 32, central_revision=seen, central_counter=seen)
        self.take(ev.SyncArrived(CORNER, sync, is_signed=True))


@pytest.mark.parametrize(("refused", "raised"), [("entry", "counter 7000"), ("counter", "entry 7000")])
def test_number_that_the_disk_refuses_to_raise_keeps_not_the_other_from_it(refused: str, raised: str) -> None:
    rig = RaisingRig()
    rig.refused = (refused,)
    rig.sync("a", 7_000)

    assert [raised] == rig.raised


@pytest.mark.parametrize("is_probed", [True, False])
def test_numbers_that_the_disk_refused_to_raise_are_raised_once_it_takes_something(*, is_probed: bool) -> None:
    """Each is ordered once: nodes took central's answers for old until it began anew."""
    rig = RaisingRig()
    rig.refused = ("entry", "counter")
    for nonce, seen in (("a", 7_000), ("b", 8_000)):
        rig.sync(nonce, seen)
    assert [] == rig.raised
    rig.refused = ()
    if is_probed:
        rig.tick(10)
    else:
        rig.send(Alert(CORNER, 7, int(START.timestamp()), AlertKind.ATTACK, 7, (1,)))
    rig.tick()

    assert ["entry 8000", "counter 8000"] == rig.raised


def test_entry_number_that_was_raised_is_remembered_and_never_lowered(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.raise_entry(900)
    database.raise_entry(400)

    found = recall(database, START)
    assert (900, 900) == (found.last_entry, found.raised_entry)
    database.close()
