"""N13: what the disk keeps so that late is told from live after a restart, and after years."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.core.effects import AlertDraft, Scale
from node.core.events import SeenFrame
from node.store import NodeStore, digest
from node.store.database import open_database
from node.store.node_store import COUNTER_CLOCK_END_S, COUNTER_EPOCH_S, KEPT_S, clock_floor
from wire.frames import decode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind
from wire.signing import SigningKey

pytestmark = pytest.mark.finding(2)
NODE, BOOTS, CAFE = NodeId(0x10), NodeId(0x11), NodeId(0x12)
KEY = SigningKey(bytes(range(32)))
ATTACK = AlertDraft(AlertKind.ATTACK, None, (1,), silent=False, drill=False)
NOW_S = COUNTER_EPOCH_S + 30 * 86_400
SCALES = (Scale("central-2", 70_000, 5, 20), Scale("central-1", -1_800_000, 4, 20, left_ms=5))


def store_at(folder: Path, boot: str = "boot-1") -> NodeStore:
    return NodeStore(folder, NODE, KEY, boot)


def seen(node: NodeId, counter: int) -> SeenFrame:
    return SeenFrame(FrameId(node, counter), digest(b"x"), None)


def test_highest_number_of_each_sender_outlives_the_inbox(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    for frame in (seen(BOOTS, 7), seen(BOOTS, 5), seen(CAFE, 3)):
        store.keep_seen(frame, NOW_S)
    store.prune(NOW_S + KEPT_S + 1)
    store.keep_seen(seen(BOOTS, 6), NOW_S + KEPT_S + 1)
    store.close()
    again = store_at(tmp_path)
    remembered = again.load(0, NOW_S)
    again.close()

    assert [FrameId(BOOTS, 6)] == [row.id for row in remembered.inbox]
    assert {FrameId(BOOTS, 7), FrameId(CAFE, 3)} == set(remembered.highest)


def test_highest_number_is_taken_over_from_the_inbox_of_an_older_program(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    store.keep_seen(seen(BOOTS, 7), NOW_S)
    store.close()
    db = open_database(tmp_path)
    db.execute("DROP TABLE senders")
    db.execute("PRAGMA user_version=2")
    db.close()
    again = store_at(tmp_path)

    assert (FrameId(BOOTS, 7),) == again.load(0, NOW_S).highest
    again.close()


def test_centrals_time_is_kept_for_this_boot_of_the_machine(tmp_path: Path) -> None:
    """The monotonic clock begins anew with the next one."""
    store = store_at(tmp_path)
    store.keep_scales(SCALES[1:])
    store.keep_scales(SCALES)
    store.close()
    again, after = store_at(tmp_path), store_at(tmp_path, "boot-2")

    assert SCALES == again.load(0, NOW_S).scales
    again.close()
    assert () == after.load(0, NOW_S).scales
    after.close()


def test_counters_floor_and_rows_age_stay_on_our_own_clock(tmp_path: Path) -> None:
    """Central's time may be years off; a counter that it had burnt would be gone for good."""
    store = store_at(tmp_path)
    signed = store.store_frame(ATTACK, NOW_S, 5_000, frame_at_s=NOW_S + 10 * 365 * 86_400)
    store.close()
    after = store_at(tmp_path, "boot-2")
    (row,) = after.load(100_000, NOW_S + 90).outbox
    after.close()

    assert NOW_S + 10 * 365 * 86_400 == decode(signed.data).frame.at_s
    assert clock_floor(NOW_S) + 1 == signed.frame.counter
    assert 10_000 == row.stored_ms


@pytest.mark.parametrize("kept", [b"", b"\x00", b"[]", b'["boot-1", [1]]'])
def test_time_that_cannot_be_read_is_no_time(tmp_path: Path, kept: bytes) -> None:
    store = store_at(tmp_path)
    store.keep_scales(SCALES)
    store.close()
    db = open_database(tmp_path)
    db.execute("UPDATE kv SET value = ? WHERE key = 'scales'", (kept,))
    db.close()
    again = store_at(tmp_path)

    assert () == again.load(0, NOW_S).scales
    again.close()


def test_time_of_the_last_test_is_found_where_earlier_versions_left_it(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    store.open()
    assert store._connection is not None
    for key in ("tested_at_s", "test_since_at_s"):
        store._connection.execute("INSERT INTO kv VALUES (?, ?)", (key, NOW_S.to_bytes(8, "big")))
    remembered = store.load(0, NOW_S)
    store.close()

    assert (NOW_S, NOW_S) == (remembered.tested_at_s, remembered.test_since_at_s)


@pytest.mark.parametrize(
    ("at_s", "floor"),
    [
        (COUNTER_EPOCH_S - 1, 0),
        (COUNTER_EPOCH_S + 3_600, 60 * 64),
        (COUNTER_CLOCK_END_S, 0),
    ],
)
def test_floor_of_counters_rises_by_sixty_four_a_minute(at_s: int, floor: int) -> None:
    """A restored card that knows no more than the time must not use a number twice."""
    assert floor == clock_floor(at_s)
