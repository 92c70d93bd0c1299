"""The file that says how the node is: as new as its loop, whole, and nobody waits for it (F4)."""

from __future__ import annotations

import errno
import io
import logging
import queue
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from node import vitals_file
from node.app import NodeApp
from node.config import load_config
from node.core.controls import Button
from node.core.events import PinChanged, StopAsked
from node.vitals_file import WRITE_EVERY_MS, VitalsFile
from runtime.atomic import write_atomic
from runtime.logs import FactLog
from runtime.monotonic import boottime_ms
from runtime.service import Service
from tests.support.fitted_unit import fitted_unit
from wire.unit_files import VITALS_FILE, Vitals, read_unit_file

VITALS = Vitals(node="00000010", boot_id="b", written_at_ms=0)
UNIT = Path(__file__).parents[2] / "systemd/watchlink-node.service"
WITHIN_S = 60.0


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VitalsFile]:
    monkeypatch.setattr(vitals_file, "SETTLE_S", 0.0)
    made = VitalsFile(tmp_path)
    yield made
    made.close()


def wait_for(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def read(folder: Path) -> Vitals | None:
    file = folder / "vitals.json"
    return read_unit_file(file.read_bytes(), Vitals) if file.exists() else None


def test_file_says_what_was_told_and_when_for_root_and_the_node_alone(told: VitalsFile, tmp_path: Path) -> None:
    before_ms = boottime_ms()
    told.tell(VITALS, 0)
    wait_for(lambda: read(tmp_path) is not None)
    said = read(tmp_path)

    assert said is not None
    assert VITALS == replace(said, written_at_ms=0)
    assert before_ms <= said.written_at_ms <= boottime_ms()
    assert 0o600 == stat.S_IMODE((tmp_path / "vitals.json").stat().st_mode)


def test_file_is_written_anew_at_a_change_and_every_ten_seconds(
    told: VitalsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: queue.SimpleQueue[Vitals | None] = queue.SimpleQueue()
    real, other = write_atomic, replace(VITALS, may_restart=True)

    def noted(path: Path, data: bytes, mode: int) -> None:
        real(path, data, mode)
        written.put(read(path.parent))

    monkeypatch.setattr(vitals_file, "write_atomic", noted)
    for vitals, now_ms, is_written in (
        (VITALS, 0, True),
        (VITALS, 1, False),
        (other, 2, True),
        (other, 1 + WRITE_EVERY_MS, False),
        (other, 2 + WRITE_EVERY_MS, True),
    ):
        told.tell(vitals, now_ms)
        if is_written:
            found = written.get(timeout=WITHIN_S)
            assert found is not None
            assert vitals == replace(found, written_at_ms=0), now_ms
        assert told._waiting is None, now_ms
    told.close()

    assert written.empty()
    assert 2 + 2 * WRITE_EVERY_MS == told.due_ms


def test_disk_that_hangs_holds_up_nobody_and_the_latest_wins(
    told: VitalsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_writing, may_write, real = threading.Event(), threading.Event(), write_atomic

    def slow(path: Path, data: bytes, mode: int) -> None:
        is_writing.set()
        may_write.wait(WITHIN_S)
        real(path, data, mode)

    monkeypatch.setattr(vitals_file, "write_atomic", slow)
    told.tell(VITALS, 0)
    assert is_writing.wait(WITHIN_S)
    for number in range(100):
        told.tell(replace(VITALS, boot_id=str(number)), 0)
    may_write.set()
    wait_for(lambda: (said := read(tmp_path)) is not None and said.boot_id == "99")


def test_full_memory_does_not_make_the_node_count_as_dead(
    told: VitalsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good system would be taken back for it, or the unit restarted in the middle of an alert."""
    long, short = replace(VITALS, faulty=("oled", "sounder"), may_restart=True), replace(VITALS, boot_id="c")
    told.tell(long, 0)
    wait_for(lambda: read(tmp_path) is not None)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(vitals_file, "write_atomic", refuse)
    told.tell(short, 0)
    wait_for(lambda: (said := read(tmp_path)) is not None and said.boot_id == "c")
    told.tell(long, 1)
    wait_for(lambda: (said := read(tmp_path)) is not None and said.faulty == ("oled", "sounder"))


def test_folder_that_is_gone_is_said_once_and_does_not_end_the_thread(
    told: VitalsFile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    told._file = folder / "vitals.json"
    with caplog.at_level(logging.ERROR):
        for number in range(3):
            told.tell(replace(VITALS, boot_id=str(number)), 0)
            wait_for(lambda: told._waiting is None)
    folder.mkdir()
    told.tell(VITALS, 0)
    wait_for(lambda: read(folder) is not None)

    assert 1 == len(caplog.records)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NodeApp]:
    monkeypatch.setattr(vitals_file, "SETTLE_S", 0.0)
    config = load_config(fitted_unit(tmp_path, monkeypatch).file, "1.4")
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))
    made = NodeApp(config, FactLog(io.StringIO()), Service())
    yield made
    made._close()


def test_node_says_at_once_that_a_button_is_down(app: NodeApp, tmp_path: Path) -> None:
    def said() -> Vitals | None:
        app._queue.put(PinChanged(Button.SEEN, is_down=False))
        app._turn()
        return read(tmp_path / "run")

    wait_for(lambda: (vitals := said()) is not None and vitals.is_armed and vitals.may_restart)
    app._queue.put(PinChanged(Button.ATTACK, is_down=True))
    wait_for(lambda: (vitals := said()) is not None and not vitals.may_restart)


def test_node_that_is_idle_wakes_to_say_so(app: NodeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app._turn()
    assert app._vitals
    waits: list[int] = []
    monkeypatch.setattr(app._queue, "get", waits.append)
    monkeypatch.setattr(type(app._clock), "due_ms", 10**15)
    app._vitals.due_ms = app._queue.now_ms() + 700
    app._next()

    assert 0 <= waits[-1] <= 700


def test_node_without_a_folder_of_its_own_writes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    config = load_config(fitted_unit(tmp_path, monkeypatch).file, "1.4")
    app = NodeApp(config, FactLog(io.StringIO()), Service())
    app._queue.put(StopAsked())

    assert (None, 0) == (app._vitals, app.run())


def test_folder_is_the_one_of_the_nodes_unit_which_root_alone_reads_beside_it() -> None:
    """The file tells of a silent press, too."""
    lines, folder = UNIT.read_text().splitlines(), Path(VITALS_FILE).parent

    assert {f"RuntimeDirectory={folder.name}", "RuntimeDirectoryMode=0700", "UMask=0077"} <= set(lines)
    assert Path("/run") == folder.parent
