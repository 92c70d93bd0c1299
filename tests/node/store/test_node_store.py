"""N2: the press is on disk before anything else, its counter never used again."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from node.core.effects import COUNTER_FLOOR_MAX, AlertDraft, CancelDraft, PathTestDraft, ResponseDraft
from node.core.events import SeenFrame
from node.store import NodeStore, StoreRefusedError, digest
from node.store.database import DATABASE_NAME
from node.store.node_store import COUNTER_EPOCH_S, KEPT_S, RECEIPTED_ROWS_MAX, SEEN_ROWS_MAX
from runtime.sqlite_file import write_value
from wire.answers import frame_digest
from wire.frames import Alert, PathTest, decode
from wire.ids import U32_MAX, FrameId, NodeId
from wire.kinds import AlertKind, CancelReason, MemberResponse, Priority
from wire.kinds import Path as AirPath
from wire.signing import SigningKey

NODE = NodeId(0x10)
KEY = SigningKey(bytes(range(32)))
ATTACK = AlertDraft(AlertKind.ATTACK, None, (1, 2), silent=False, drill=False)
NOW_S = COUNTER_EPOCH_S + 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[NodeStore]:
    store = NodeStore(folder, NODE, KEY, "boot-1")
    yield store
    store.close()


def reopened(store: NodeStore, folder: Path, boot: str = "boot-1") -> NodeStore:
    store.close()
    return NodeStore(folder, NODE, KEY, boot)


def test_store_returns_a_frame_that_verifies_and_opens_its_own_incident(store: NodeStore) -> None:
    signed = store.store_frame(ATTACK, at_s=0, now_ms=5)

    signed.verify(KEY.public)
    assert Alert(NODE, 1, 0, AlertKind.ATTACK, 1, (1, 2)) == decode(signed.data).frame


def test_store_signs_upgrade_cancel_and_response_with_rising_counters(store: NodeStore) -> None:
    upgrade = AlertDraft(AlertKind.ATTACK, 7, (1,), silent=True, drill=True)
    store.raise_counter_floor(9)
    frames = [
        store.store_frame(upgrade, 0, 0).frame,
        store.store_frame(CancelDraft(10, CancelReason.MISTAKE, (1,)), 0, 0).frame,
        store.store_frame(ResponseDraft(FrameId(NodeId(0x11), 3), MemberResponse.SEEN, (1,)), 0, 0).frame,
    ]

    assert [10, 11, 12] == [frame.counter for frame in frames]
    assert Alert(NODE, 10, 0, AlertKind.ATTACK, 7, (1,), silent=True, drill=True) == frames[0]


def test_counter_of_a_row_is_never_given_out_again_whatever_the_reserve_says(store: NodeStore, folder: Path) -> None:
    store.raise_counter_floor(40)
    stored = store.store_frame(ATTACK, 0, 0).frame.counter
    store.close()
    with contextlib.closing(sqlite3.connect(folder / DATABASE_NAME)) as db, db:
        write_value(db, "counter", 3)

    again = NodeStore(folder, NODE, KEY, "boot-2")

    assert (41, 42) == (stored, again.store_frame(ATTACK, 0, 0).frame.counter)
    again.close()


def test_path_test_takes_a_counter_for_good_and_is_of_no_use_to_a_later_run(store: NodeStore, folder: Path) -> None:
    """N11: its number is never used again; its frame is not sent again, nor kept for ever as never receipted."""
    signed = store.store_frame(PathTestDraft(AirPath.RADIO), at_s=NOW_S, now_ms=5)
    signed.verify(KEY.public)
    again = reopened(store, folder)
    remembered = again.load(10, NOW_S)

    assert PathTest(NODE, signed.frame.counter, NOW_S, AirPath.RADIO) == decode(signed.data).frame
    assert () == remembered.outbox
    assert signed.frame.counter == remembered.last_counter
    assert signed.frame.counter + 1 == again.store_frame(ATTACK, 0, 0).frame.counter
    again.close()


def test_last_good_test_survives_restarts_and_pruning(store: NodeStore, folder: Path) -> None:
    """N12: the row goes after two days, what it proved does not; and an attack is no test."""
    counter = store.store_frame(replace(ATTACK, kind=AlertKind.TEST), at_s=NOW_S, now_ms=5).frame.counter
    store.mark_receipted(counter, NOW_S)
    attack = store.store_frame(ATTACK, at_s=NOW_S + 50, now_ms=55).frame.counter
    store.mark_receipted(attack, NOW_S + 60)
    store.prune(NOW_S + 9 * 86_400)
    again = reopened(store, folder)
    remembered = again.load(0, NOW_S + 9 * 86_400)
    again.close()

    assert () == remembered.outbox
    assert (NOW_S, NOW_S) == (remembered.tested_at_s, remembered.test_since_at_s)


def test_repeated_receipt_does_not_make_a_test_younger(store: NodeStore) -> None:
    counter = store.store_frame(replace(ATTACK, kind=AlertKind.TEST), at_s=NOW_S, now_ms=5).frame.counter
    store.mark_receipted(counter, NOW_S)
    store.flush()
    store.mark_receipted(counter, NOW_S + 1_000)
    store.flush()

    assert NOW_S == store.load(0, NOW_S).tested_at_s


def test_time_without_a_test_counts_from_the_first_proven_clock(store: NodeStore, folder: Path) -> None:
    """N12: a node that is switched off every evening is asked for its test all the same."""
    store.prune(0)
    assert 0 == store.load(0, 0).test_since_at_s
    store.prune(NOW_S)
    again = reopened(store, folder)
    again.prune(NOW_S + 86_400)
    assert (0, NOW_S) == (again.load(0, 0).tested_at_s, again.load(0, 0).test_since_at_s)

    again.prune(NOW_S - 3_600)
    assert NOW_S - 3_600 == again.load(0, 0).test_since_at_s, "a time to come was a wrong clock's"
    again.close()


def test_test_of_which_the_time_is_not_known_counts_from_the_next_proven_clock(store: NodeStore) -> None:
    store.prune(NOW_S - 30 * 86_400)
    counter = store.store_frame(replace(ATTACK, kind=AlertKind.TEST), at_s=0, now_ms=5).frame.counter
    store.mark_receipted(counter, 0)
    store.prune(NOW_S)

    assert (0, NOW_S) == (store.load(0, 0).tested_at_s, store.load(0, 0).test_since_at_s)


def test_store_gives_back_identical_bytes_after_a_restart(store: NodeStore, folder: Path) -> None:
    signed = store.store_frame(ATTACK, at_s=NOW_S, now_ms=5)
    again = reopened(store, folder)

    remembered = again.load(now_ms=90, wall_at_s=0)
    again.close()

    assert [(signed, 5, False)] == [(row.signed, row.stored_ms, row.is_receipted) for row in remembered.outbox]
    assert signed.frame.counter == remembered.last_counter


def test_store_knows_the_age_of_an_earlier_boots_row_only_by_proven_clocks(store: NodeStore, folder: Path) -> None:
    store.store_frame(ATTACK, at_s=NOW_S, now_ms=777)
    store.store_frame(ATTACK, at_s=0, now_ms=778)
    later = reopened(store, folder, boot="boot-2")

    by_clock = [row.stored_ms for row in later.load(now_ms=1_000, wall_at_s=NOW_S + 60).outbox]
    without = [row.stored_ms for row in later.load(now_ms=1_000, wall_at_s=0).outbox]
    later.close()

    assert [-59_000, None] == by_clock
    assert [None, None] == without


@pytest.mark.finding(3)
def test_store_replaces_a_refused_frame_in_one_transaction_and_keeps_its_age(store: NodeStore, folder: Path) -> None:
    store.store_frame(ATTACK, NOW_S, 1_000)
    store.store_frame(ATTACK, NOW_S, 9_000, replaces=store.load(9_000, NOW_S).last_counter)
    rows = store.load(9_000, NOW_S + 8).outbox

    assert [1_000] == [row.stored_ms for row in rows]
    assert [store.load(9_000, NOW_S).last_counter] == [row.signed.frame.counter for row in rows]


@pytest.mark.finding(3)
def test_store_forgets_what_nobody_need_hear_of(store: NodeStore) -> None:
    store.forget_frame(store.store_frame(ATTACK, 0, 1_000).frame.counter)

    assert () == store.load(1_000, 0).outbox


@pytest.mark.finding(4)
def test_store_lists_all_receipts_of_48_hours_and_takes_them_back(store: NodeStore, folder: Path) -> None:
    first, second = (store.store_frame(ATTACK, NOW_S, 1_000) for _ in range(2))
    for signed in (first, second):
        store.mark_receipted(signed.frame.counter, NOW_S)
    listed = [(signed.frame.counter, frame_digest(signed.data).hex()) for signed in (first, second)]
    assert listed == list(store.receipted())

    rows = store.reopen((second.frame.counter, 999_999_999), 5_000, NOW_S)
    assert [(second.data, 1_000, False)] == [(row.signed.data, row.stored_ms, row.is_receipted) for row in rows]
    assert listed[:1] == list(store.receipted())
    store.prune(NOW_S + KEPT_S + 1)
    assert () == store.receipted()
    assert [second.data] == [row.signed.data for row in store.load(0, NOW_S + KEPT_S + 1).outbox]


@pytest.mark.finding(4)
def test_store_keeps_every_receipt_of_48_hours_by_a_proven_clock(store: NodeStore) -> None:
    store.open()
    assert store._connection is not None
    store._connection.execute("PRAGMA synchronous=OFF")  # the number matters here, not the disk
    for _ in range(RECEIPTED_ROWS_MAX + 10):
        store.mark_receipted(store.store_frame(ATTACK, NOW_S, 0).frame.counter, NOW_S)
    store.prune(NOW_S)

    assert RECEIPTED_ROWS_MAX + 10 == len(store.receipted())


def test_store_never_reuses_a_counter_after_rows_are_pruned(store: NodeStore, folder: Path) -> None:
    for _ in range(3):
        signed = store.store_frame(ATTACK, 0, 0)
        store.mark_receipted(signed.frame.counter, NOW_S)
    store.prune(NOW_S + KEPT_S + 1)
    again = reopened(store, folder)

    assert () == again.load(0, 0).outbox
    assert 4 == again.store_frame(ATTACK, 0, 0).frame.counter
    again.close()


def test_store_jumps_over_what_a_restored_card_forgot_once_the_clock_is_proven(store: NodeStore, folder: Path) -> None:
    """A copy taken early, used on, restored: no id of the forgotten stretch comes again."""
    store.store_frame(ATTACK, NOW_S, 0)
    store.close()
    shutil.copytree(folder, folder.with_name("copy"))
    original = NodeStore(folder, NODE, KEY, "boot-1")
    used = {original.store_frame(ATTACK, NOW_S + 2 * n, 0).frame.counter for n in range(50)}
    original.close()
    restored = NodeStore(folder.with_name("copy"), NODE, KEY, "boot-2")
    fresh = {restored.store_frame(ATTACK, NOW_S + 160 + n, 0).frame.counter for n in range(50)}
    restored.close()

    assert set() == used & fresh


def test_store_jumps_over_what_central_has_seen(store: NodeStore, folder: Path) -> None:
    store.raise_counter_floor(5_000)
    store.raise_counter_floor(17)
    again = reopened(store, folder)
    counter = again.store_frame(ATTACK, 0, 0).frame.counter
    again.close()

    assert 5_001 == counter


@pytest.mark.parametrize("at_s", [0, 1, COUNTER_EPOCH_S - 1, 3_800_000_000, U32_MAX])
def test_store_does_not_let_an_implausible_time_burn_counters(store: NodeStore, at_s: int) -> None:
    assert 1 == store.store_frame(ATTACK, at_s, 0).frame.counter


def test_store_refuses_a_floor_that_would_leave_no_counters(store: NodeStore) -> None:
    with pytest.raises(StoreRefusedError, match="too high"):
        store.raise_counter_floor(COUNTER_FLOOR_MAX + 1)

    assert 1 == store.store_frame(ATTACK, 0, 0).frame.counter


def test_store_burns_the_counter_of_a_failed_commit(store: NodeStore) -> None:
    """The failed commit may have reached the disk, so its id is not given to another frame."""
    store.open()
    assert store._connection is not None
    store._connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(StoreRefusedError):
        store.store_frame(ATTACK, 0, 0)
    store._connection.execute("DROP TRIGGER refuse")

    assert 2 == store.store_frame(ATTACK, 0, 0).frame.counter


def test_store_says_what_cannot_be_signed_instead_of_failing(store: NodeStore) -> None:
    with pytest.raises(StoreRefusedError, match="cannot be made"):
        store.store_frame(AlertDraft(AlertKind.ATTACK, None, (), silent=False, drill=False), 0, 0)

    assert 1 == store.store_frame(ATTACK, 0, 0).frame.counter


def test_store_commits_receipts_and_seen_frames_at_flush(store: NodeStore, folder: Path) -> None:
    signed = store.store_frame(ATTACK, 0, 0)
    seen = SeenFrame(FrameId(NodeId(0x11), 4), digest(b"x"), None)
    store.mark_receipted(signed.frame.counter, 0)
    store.keep_seen(seen, 0)
    store.keep_seen(SeenFrame(seen.id, seen.digest, Priority.P1), 0)
    store.flush()
    store._drop_connection()  # as after kill -9
    again = reopened(store, folder)
    remembered = again.load(0, 0)
    again.close()

    assert [True] == [row.is_receipted for row in remembered.outbox]
    assert (SeenFrame(seen.id, seen.digest, Priority.P1),) == remembered.inbox


def test_store_never_forgets_that_a_frame_was_shown(store: NodeStore) -> None:
    seen = FrameId(NodeId(0x11), 4)
    store.keep_seen(SeenFrame(seen, b"d", Priority.P1), 0)
    store.flush()
    store.keep_seen(SeenFrame(seen, b"d", None), 0)
    store.flush()

    assert [Priority.P1] == [row.shown for row in store.load(0, 0).inbox]


@pytest.mark.finding(8)
def test_store_remembers_the_most_urgent_kind_that_was_shown(store: NodeStore) -> None:
    seen = FrameId(NodeId(0x11), 4)
    for shown in (Priority.P2, Priority.P1, Priority.P3, None):
        store.keep_seen(SeenFrame(seen, b"d", shown), 0)
        store.flush()

    assert [Priority.P1] == [row.shown for row in store.load(0, 0).inbox]


@pytest.mark.finding(8)
def test_store_of_an_older_program_is_taken_over_and_the_older_program_could_go_on(
    store: NodeStore, folder: Path
) -> None:
    """What was shown in its time may be shown once more if it is an attack that is still open."""
    store.store_frame(ATTACK, 0, 0)
    store.close()
    with contextlib.closing(sqlite3.connect(folder / "node.db")) as db:
        db.execute("ALTER TABLE inbox DROP COLUMN shown_priority")
        db.execute("DROP TABLE senders")
        db.execute("PRAGMA user_version=1")
        db.executemany("INSERT INTO inbox VALUES (17, ?, x'00', ?, 0)", [(4, 1), (5, 0)])
        db.commit()
    again = reopened(store, folder)
    remembered = again.load(0, 0)
    again.flush()
    again.close()
    with contextlib.closing(sqlite3.connect(folder / "node.db")) as db:
        db.execute("INSERT INTO inbox (node, counter, digest, is_shown, seen_at_s) VALUES (17, 6, x'00', 1, 0)")

    assert [Priority.P2, None] == [row.shown for row in remembered.inbox]
    assert [1] == [row.signed.frame.counter for row in remembered.outbox]


@pytest.mark.finding(9)
def test_store_remembers_the_airtime_of_the_last_minutes_over_restarts_and_reboots(
    store: NodeStore, folder: Path
) -> None:
    """By the clock where it is proven; else it was just now, for a power cut must not give the window away."""
    store.keep_airtime(((2, 900), (3, 400)), 100_000, NOW_S)
    again = reopened(store, folder)
    same = again.load(130_000, 0).airtime
    rebooted = reopened(again, folder, "boot-2")
    unknown, known = rebooted.load(5_000, 0).airtime, rebooted.load(5_000, NOW_S + 3_600).airtime
    rebooted.close()

    assert ((2, 900), (3, 400)) == same
    assert ((-2, 900), (-1, 400)) == unknown
    assert ((-122, 900), (-121, 400)) == known


def test_store_prunes_by_age_but_never_what_has_no_receipt(store: NodeStore) -> None:
    kept = store.store_frame(ATTACK, 0, 0)
    gone = store.store_frame(ATTACK, 0, 0)
    recent = store.store_frame(ATTACK, 0, 0)
    store.mark_receipted(gone.frame.counter, NOW_S - KEPT_S - 1)
    store.mark_receipted(recent.frame.counter, NOW_S - 10)
    store.keep_seen(SeenFrame(FrameId(NodeId(0x11), 1), b"old", Priority.P1), NOW_S - KEPT_S - 1)
    store.keep_seen(SeenFrame(FrameId(NodeId(0x11), 2), b"new", Priority.P1), NOW_S - 10)
    store.prune(NOW_S)
    remembered = store.load(0, NOW_S)

    assert [kept, recent] == [row.signed for row in remembered.outbox]
    assert [b"new"] == [row.digest for row in remembered.inbox]


def test_store_dates_rows_of_an_unproven_or_future_time_from_the_first_proven_one(store: NodeStore) -> None:
    for at_s in (0, NOW_S + 10**8):
        store.mark_receipted(store.store_frame(ATTACK, 0, 0).frame.counter, at_s)
    store.prune(NOW_S)
    assert 2 == len(store.load(0, NOW_S).outbox)
    store.prune(NOW_S + KEPT_S + 1)

    assert () == store.load(0, NOW_S + KEPT_S + 1).outbox


@pytest.mark.one_python
def test_store_keeps_ten_thousand_offline_alerts_and_bounds_the_rest_without_a_clock(folder: Path) -> None:
    store = NodeStore(folder, NODE, KEY, "boot-1")
    store.open()
    assert store._connection is not None
    store._connection.execute("PRAGMA synchronous=OFF")  # the number matters here, not the disk
    for _ in range(10_000):
        store.store_frame(ATTACK, 0, 0)
    for n in range(1, SEEN_ROWS_MAX + 100):
        store.keep_seen(SeenFrame(FrameId(NodeId(0x11), n), b"d", Priority.P1), 0)
    store.prune(0)
    remembered = store.load(0, 0)

    assert list(range(1, 10_001)) == [row.signed.frame.counter for row in remembered.outbox]
    assert SEEN_ROWS_MAX == len(remembered.inbox)
    for n in range(1, 10_001):
        store.mark_receipted(n, 0)
    store.prune(0)
    assert RECEIPTED_ROWS_MAX == len(store.load(0, 0).outbox)
    store.close()


def test_store_keeps_the_directory(store: NodeStore, folder: Path) -> None:
    store.keep_directory(b"one")
    store.keep_directory(b"two")
    again = reopened(store, folder)

    assert b"two" == again.load(0, 0).directory
    again.close()


def test_store_syncs_every_commit(store: NodeStore) -> None:
    """FULL: a commit is on the disk when it returns; NORMAL would lose the last ones."""
    store.open()
    assert store._connection is not None

    assert (2,) == store._connection.execute("PRAGMA synchronous").fetchone()
    assert ("wal",) == store._connection.execute("PRAGMA journal_mode").fetchone()


def test_store_migrates_once_and_runs_on_a_newer_schema(store: NodeStore, folder: Path) -> None:
    store.store_frame(ATTACK, 0, 0)
    assert store._connection is not None
    store._connection.execute("ALTER TABLE outbox ADD COLUMN of_the_future TEXT")
    store._connection.execute("PRAGMA user_version=99")
    again = reopened(store, folder)

    assert 2 == again.store_frame(ATTACK, 0, 0).frame.counter
    assert again._connection is not None
    assert (99,) == again._connection.execute("PRAGMA user_version").fetchone()
    again.close()


def test_store_refuses_a_folder_another_program_uses(store: NodeStore, folder: Path) -> None:
    store.store_frame(ATTACK, 0, 0)
    second = NodeStore(folder, NODE, KEY, "boot-1")

    with pytest.raises(StoreRefusedError, match="another program"):
        second.store_frame(ATTACK, 0, 0)
