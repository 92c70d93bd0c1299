"""The store: counted in a copy, whoever has it open; damage and full disks are told (N2, F5)."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node.check.store_copy import look_at_store
from node.core.effects import AlertDraft
from node.step import Outcome
from node.store.node_store import NodeStore
from wire.ids import NodeId
from wire.kinds import AlertKind
from wire.signing import SigningKey

ATTACK = AlertDraft(AlertKind.ATTACK, None, (1,), silent=False, drill=False)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[NodeStore]:
    """A store as a running node has it: open, and for itself alone."""
    opened = NodeStore(state, NodeId(0x10), SigningKey(bytes(32)), "boot")
    opened.open()
    yield opened
    opened.close()


def test_store_that_is_open_elsewhere_is_counted_with_what_stands_in_its_log(state: Path, store: NodeStore) -> None:
    store.store_frame(ATTACK, at_s=0, now_ms=5)
    look = look_at_store(state)

    assert (Outcome.OK, 1, 1) == (look.step.outcome, look.figures["frames"], look.figures["frames_without_receipt"])
    with (
        closing(sqlite3.connect(state / "node.db", timeout=0)) as db,
        pytest.raises(sqlite3.OperationalError, match="locked"),  # so it was a copy that was opened
    ):
        db.execute("SELECT * FROM outbox")


def test_store_is_not_touched(state: Path, store: NodeStore) -> None:
    before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in state.iterdir()}
    look_at_store(state)

    assert before == {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in state.iterdir()}


def test_damaged_store_is_told(state: Path, store: NodeStore) -> None:
    store.close()
    file = state / "node.db"
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * (file.stat().st_size - 100))
    step = look_at_store(state).step

    assert Outcome.BAD is step.outcome
    assert "is damaged" in step.text


def test_store_that_is_no_database_and_one_set_aside_are_told(state: Path, store: NodeStore) -> None:
    (state / "node.db.damaged-20260101T000000000000").write_text("x")
    assert "1 damaged files were set aside" in look_at_store(state).step.text
    store.close()
    (state / "node.db").write_text("x" * 5_000)

    assert "is damaged" in look_at_store(state).step.text


def test_no_store_yet_is_no_fault(state: Path) -> None:
    assert Outcome.NOT_DONE is look_at_store(state).step.outcome
    state.mkdir()
    assert Outcome.NOT_DONE is look_at_store(state).step.outcome
    assert Outcome.NOT_DONE is look_at_store(None).step.outcome


def test_store_that_is_written_all_the_time_is_not_judged(
    state: Path, store: NodeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of one moment and half of the next would look damaged."""
    copied = shutil.copyfile

    def written_meanwhile(source: Path, target: Path) -> None:
        copied(source, target)
        with (state / "node.db-wal").open("ab") as log:
            log.write(b"x")

    monkeypatch.setattr("node.check.store_copy.shutil.copyfile", written_meanwhile)

    assert (Outcome.NOT_DONE, True) == ((step := look_at_store(state).step).outcome, "all the time" in step.text)


def test_no_room_for_a_copy_is_no_damage(state: Path, store: NodeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("node.check.store_copy.shutil.copyfile", full)

    assert Outcome.NOT_DONE is look_at_store(state).step.outcome


def test_files_that_nobody_made_are_counted_and_not_named(state: Path, store: NodeStore) -> None:
    (state / "photo of Jo.jpg").write_bytes(b"12345")
    look = look_at_store(state)

    assert (1, 5) == (look.figures["other_files"], look.figures["other_bytes"])
    assert "Jo" not in str(look)
