"""N2, F5: a disk that is damaged, full, read-only or pulled in the middle of a write loses no stored press."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node.core.effects import AlertDraft
from node.core.events import SeenFrame
from node.store import NodeStore, StoreRefusedError, node_store
from node.store.database import DATABASE_NAME
from node.store.node_store import COUNTER_EPOCH_S, RESERVED, clock_floor
from wire.frames import SignedFrame
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind
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


def test_store_sets_a_destroyed_database_aside_and_says_so(store: NodeStore, folder: Path) -> None:
    store.store_frame(ATTACK, 0, 0)
    store.close()
    (folder / DATABASE_NAME).write_bytes(b"not a database" * 1000)
    again = NodeStore(folder, NODE, KEY, "boot-1")
    again.raise_counter_floor(41)

    assert again.store_frame(ATTACK, 0, 0).frame.counter > 41
    assert "set aside" in again.damage
    assert [b"not a database"] == [path.read_bytes()[:14] for path in folder.glob("*.damaged-*")]
    again.close()


def test_store_carries_over_what_a_damaged_database_still_shows(store: NodeStore, folder: Path) -> None:
    """Undelivered alerts outlive the damage, if they still bear our signature."""
    signed = [store.store_frame(ATTACK, 0, 0) for _ in range(200)]
    store.close()
    path = folder / DATABASE_NAME
    data = bytearray(path.read_bytes())
    at = data.find(signed[150].data)
    data[at + 20] ^= 0xFF  # one alert changed
    data[-4096 * 2 :] = os.urandom(4096 * 2)  # the file's end lost
    path.write_bytes(bytes(data))
    again = NodeStore(folder, NODE, KEY, "boot-1")
    remembered = again.load(0, 0)
    kept = [row.signed for row in remembered.outbox]

    assert "set aside" in again.damage
    assert len(kept) > 50
    assert set() == {frame.data for frame in kept} - {frame.data for frame in signed}
    assert signed[150] not in kept
    again.close()


def test_store_stores_the_press_that_meets_the_damage(store: NodeStore, folder: Path) -> None:
    """The press that finds the database damaged is stored in the new one."""
    store.store_frame(ATTACK, 0, 0)
    assert store._connection is not None
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._connection.execute("PRAGMA shrink_memory")
    path = folder / DATABASE_NAME
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    signed = store.store_frame(ATTACK, 0, 0)

    assert signed.frame.counter > 1
    assert "set aside" in store.damage
    assert [signed] == [row.signed for row in store.load(0, 0).outbox]


def fill(store: NodeStore) -> None:
    for _ in range(200):
        store.store_frame(ATTACK, 0, 0)


def test_store_refuses_when_full_and_takes_the_next_once_there_is_room(store: NodeStore) -> None:
    store.open()
    assert store._connection is not None
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreRefusedError, match="disk is full"):
        fill(store)
    stored = len(store.load(0, 0).outbox)
    store._connection.execute(f"PRAGMA max_page_count={pages + 100}")
    store.store_frame(ATTACK, 0, 0)

    assert stored + 1 == len(store.load(0, 0).outbox)


ON_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
from node.core.effects import AlertDraft
from node.store import NodeStore, StoreRefusedError
from wire.kinds import AlertKind
from wire.signing import SigningKey

disk = Path(sys.argv[1])
def mount(options): subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
mount("size=2m")
store = NodeStore(disk / "state", 16, SigningKey(bytes(range(32))), "boot")
draft = AlertDraft(AlertKind.ATTACK, None, (1,), silent=False, drill=False)
stored = []
try:
    while True:
        stored.append(store.store_frame(draft, 0, 0))
except StoreRefusedError as e:
    print("full:", e)
subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
stored.append(store.store_frame(draft, 0, 0))
kept = [row.signed for row in store.load(0, 0).outbox]
print("room again:", kept == stored and len(stored) > 5_000)
store.close()
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
try:
    store.store_frame(draft, 0, 0)
except StoreRefusedError as e:
    print("read-only:", e)
subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
print("written:", store.store_frame(draft, 0, 0).frame.counter > stored[-1].frame.counter)
store.close()
"""


def test_store_survives_a_full_and_a_read_only_disk(tmp_path: Path) -> None:
    """A real file system of its own, in a mount namespace that ends with the process."""
    unshare = shutil.which("unshare")
    assert unshare
    own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        [unshare, *own_user, "--mount", sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (
        "full: the disk is full\nroom again: True\nread-only: the disk is read-only\nwritten: True\n" == done.stdout
    ), done.stderr


UNTIL_KILLED = """
import sys
from pathlib import Path
from node.core.effects import AlertDraft
from node.store import NodeStore
from wire.kinds import AlertKind
from wire.signing import SigningKey

store = NodeStore(Path(sys.argv[1]), 16, SigningKey(bytes(range(32))), "boot")
draft = AlertDraft(AlertKind.ATTACK, None, (1,), silent=False, drill=False)
while True:
    signed = store.store_frame(draft, 0, 0)
    print(signed.data.hex(), flush=True)
    if signed.frame.counter % 7 == 0:
        store.mark_receipted(signed.frame.counter, 0)
        store.flush()
"""


@pytest.mark.one_python
@pytest.mark.parametrize("lines", [1, 2, 23, 64, 301])
def test_store_keeps_every_acknowledged_press_through_kill_and_torn_log(folder: Path, lines: int) -> None:
    """Killed with -9 at any moment, and the log's unfinished end replaced by rubbish, as a power cut leaves it."""
    acknowledged = []
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", UNTIL_KILLED, str(folder)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout
            for _, line in zip(range(lines), child.stdout, strict=False):
                acknowledged.append(line.strip())
            child.kill()
            acknowledged += [line.strip() for line in child.stdout if line.endswith("\n")]
        with (folder / f"{DATABASE_NAME}-wal").open("ab") as log:
            log.write(os.urandom(5000))
    store = NodeStore(folder, NODE, KEY, "boot-2")
    kept = [row.signed for row in store.load(0, 0).outbox]
    store.close()

    assert "" == store.damage
    assert set() == set(acknowledged) - {signed.data.hex() for signed in kept}
    assert len(kept) == len({signed.frame.counter for signed in kept}) >= 3 * lines


def test_store_needs_no_log_after_a_clean_end(store: NodeStore, folder: Path) -> None:
    store.store_frame(ATTACK, 0, 0)
    store.close()
    (folder / f"{DATABASE_NAME}-wal").unlink(missing_ok=True)
    with sqlite3.connect(folder / DATABASE_NAME) as db:
        assert (1,) == db.execute("SELECT count(*) FROM outbox").fetchone()
    db.close()


NO_ROOM = "CREATE TEMP TRIGGER no_room BEFORE {} ON outbox BEGIN SELECT RAISE(ABORT, 'no room'); END"


def crashed(store: NodeStore, folder: Path) -> NodeStore:
    """A new run after a crash: what was not committed is gone."""
    store._drop_connection()
    return NodeStore(folder, NODE, KEY, "boot-1")


def refuse(store: NodeStore, order: str = "INSERT") -> None:
    """The disk takes nothing more."""
    store.open()
    assert store._connection is not None
    store._connection.execute(NO_ROOM.format(order))


def test_number_given_while_the_disk_refuses_is_never_given_again(store: NodeStore, folder: Path) -> None:
    """ADR 0018: it is on its way to others, and nothing here remembers it after a crash."""
    stored = store.store_frame(ATTACK, 0, 0)
    refuse(store)
    sent = [store.number(ATTACK, 0) for _ in range(RESERVED)]
    with pytest.raises(StoreRefusedError, match="no room"):
        store.keep_frame(sent[0], 0, 0)
    again = crashed(store, folder)

    assert again.store_frame(ATTACK, 0, 0).frame.counter > max(signed.frame.counter for signed in sent)
    assert [stored] == [row.signed for row in again.load(0, 0).outbox][:1]
    again.close()


@pytest.mark.parametrize("is_met_at_start", [True, False])
def test_number_given_while_the_disk_refuses_outlives_damage(
    store: NodeStore, folder: Path, *, is_met_at_start: bool
) -> None:
    """A card that wears out refuses first, and is found damaged next."""
    for _ in range(20):
        store.store_frame(ATTACK, 0, 0)
    if not is_met_at_start:
        assert store._connection is not None
        store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store._drop_connection()
        damage(folder)
        store.open()
    refuse(store)
    sent = [store.number(ATTACK, 0) for _ in range(RESERVED)]
    again = crashed(store, folder)
    if is_met_at_start:
        damage(folder)

    assert again.number(ATTACK, 0).frame.counter > max(signed.frame.counter for signed in sent)
    assert is_met_at_start is ("set aside" in again.damage)
    again.close()


def damage(folder: Path) -> None:
    """The index of the outbox is destroyed: its rows can be read."""
    path = folder / DATABASE_NAME
    size = 4096
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'outbox_receipted'").fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = os.urandom(size)
    path.write_bytes(bytes(data))


def test_reserve_is_put_aside_before_the_first_press_of_a_run(store: NodeStore, folder: Path) -> None:
    refuse(store)
    sent = store.number(ATTACK, 0)
    again = crashed(store, folder)

    assert again.number(ATTACK, 0).frame.counter > sent.frame.counter
    again.close()


def test_reserve_is_not_used_up_by_a_clean_end(store: NodeStore, folder: Path) -> None:
    store.store_frame(ATTACK, 0, 0)
    again = reopened(store, folder)

    assert 2 == again.store_frame(ATTACK, 0, 0).frame.counter
    again.close()


def test_no_number_is_given_while_nothing_tells_which_are_used(tmp_path: Path) -> None:
    """The disk was never read in this run. A proven clock stands above every number of before."""
    folder = tmp_path / "state"
    folder.write_text("in the way")
    store = NodeStore(folder, NODE, KEY, "boot-1")
    with pytest.raises(StoreRefusedError):
        store.number(ATTACK, 0)

    assert clock_floor(NOW_S) + 1 == store.number(ATTACK, NOW_S).frame.counter
    assert clock_floor(NOW_S + 1) > clock_floor(NOW_S), "a run that begins in the same minute"


def test_kept_frame_is_the_one_that_was_sent_and_as_old_as_its_press(store: NodeStore) -> None:
    sent = store.number(ATTACK, NOW_S)
    store.keep_frame(sent, NOW_S, 1_000)
    store.keep_frame(sent, NOW_S, 1_000)
    (row,) = store.load(9_000, NOW_S).outbox

    assert (sent, 1_000) == (row.signed, row.stored_ms)


def test_kept_frame_never_takes_the_place_of_another(store: NodeStore) -> None:
    kept = store.store_frame(ATTACK, 0, 0)
    other = SignedFrame(kept.frame, kept.data[::-1])
    with pytest.raises(StoreRefusedError, match="number 1"):
        store.keep_frame(other, 0, 0)

    assert [kept] == [row.signed for row in store.load(0, 0).outbox]


@pytest.mark.parametrize(
    "nonsense",
    [
        "INSERT INTO kv VALUES ('tested_at_s', 'never')",
        "INSERT INTO kv VALUES ('scales', 7)",
        "INSERT INTO inbox VALUES (17, 4, x'00', 1, 0, 99)",
        "INSERT INTO inbox VALUES (17, 4, 'text', 'text', 'text', 'text')",
        "INSERT INTO outbox VALUES (9, 'text', 'text', 'text', 'boot-1', 0, 0)",
        "INSERT INTO outbox VALUES (9, 7, 1, 'text', 'boot-0', 0, 0)",
    ],
)
def test_value_that_cannot_be_understood_keeps_no_alert_from_being_sent(store: NodeStore, nonsense: str) -> None:
    """N2: the file is sound, and what a fault of ours or of the card's wrote into it is not."""
    signed = store.store_frame(ATTACK, 0, 0)
    assert store._connection is not None
    store._connection.execute(nonsense)

    assert [signed] == [row.signed for row in store.load(0, NOW_S).outbox]


def test_kept_frames_stand_beside_each_other(store: NodeStore) -> None:
    sent = [store.number(ATTACK, 0) for _ in range(2)]
    for frame in sent:
        store.keep_frame(frame, 0, 1_000)

    assert sent == [row.signed for row in store.load(9_000, 0).outbox]


@pytest.mark.finding(4)
def test_full_disk_lists_and_gives_back_what_a_restored_central_lacks(store: NodeStore) -> None:
    frames = [store.store_frame(ATTACK, 0, 0) for _ in range(2)]
    counters = tuple(signed.frame.counter for signed in frames)
    store.mark_receipted(counters[0], 0)
    store.flush()
    refuse(store, "UPDATE")
    store.mark_receipted(counters[1], 0)
    assert list(counters) == [counter for counter, _ in store.receipted()]

    assert [(signed, False) for signed in frames] == [(r.signed, r.is_receipted) for r in store.reopen(counters, 0, 0)]
    assert () == store.receipted()
    store.mark_receipted(counters[1], 0)
    assert store._connection is not None
    store._connection.execute("DROP TRIGGER no_room")
    store.flush()
    assert [False, True] == [row.is_receipted for row in store.load(0, 0).outbox], "the last word counts"


def test_damage_on_a_full_disk_is_refused_in_words(
    store: NodeStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    store.store_frame(ATTACK, 0, 0)
    store.close()
    (folder / DATABASE_NAME).write_bytes(os.urandom(8_192))
    monkeypatch.setattr(node_store, "write_value", full)
    with pytest.raises(StoreRefusedError, match="disk is full"):
        store.store_frame(ATTACK, 0, 0)

    monkeypatch.undo()
    assert store.store_frame(ATTACK, 0, 0).frame.counter > 0, "and the next press begins the new one"


def test_full_disk_does_not_keep_what_is_on_it_from_being_read(
    store: NodeStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No numbers can be put aside then, and the alerts of before must go out all the same."""

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    signed = store.store_frame(ATTACK, 0, 0)
    again = reopened(store, folder)
    monkeypatch.setattr(node_store, "write_value", full)

    assert [signed] == [row.signed for row in again.load(0, 0).outbox]
    again.close()


def test_database_that_was_read_only_is_opened_anew_by_the_press_that_meets_it(store: NodeStore) -> None:
    """What made it so may be over, and an open file need not hear of it."""
    first = store.store_frame(ATTACK, 0, 0)
    assert store._connection is not None
    store._connection.execute("PRAGMA query_only=ON")
    signed = store.store_frame(ATTACK, 0, 0)

    assert [first, signed] == [row.signed for row in store.load(0, 0).outbox]


def test_what_cannot_be_opened_on_a_disk_that_may_be_written_is_not_called_read_only(
    store: NodeStore, folder: Path
) -> None:
    (folder / DATABASE_NAME).mkdir(parents=True)
    with pytest.raises(StoreRefusedError) as caught:
        store.store_frame(ATTACK, 0, 0)

    assert "CANTOPEN" == caught.value.kind


def test_what_waits_for_a_disk_that_always_refuses_is_bounded(tmp_path: Path) -> None:
    """As docs/memory.md says."""
    folder = tmp_path / "state"
    folder.write_text("in the way")
    store = NodeStore(folder, NODE, KEY, "boot-1")
    for counter in range(1, 10_003):
        with contextlib.suppress(StoreRefusedError):
            store.keep_seen(SeenFrame(FrameId(NodeId(0x11), counter), bytes(8), None), NOW_S)
    folder.unlink()
    store.flush()

    assert 10_000 == len(store.load(0, NOW_S).inbox)
    store.close()
