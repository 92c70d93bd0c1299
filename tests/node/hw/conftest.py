"""A place for events, a way to wait for them, and boards that are always closed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.hw import board, fake_board_server, panel, patterns
from node.hw.fake_board import FakeBoard
from node.hw.fake_board_client import FakeBoardClient
from node.hw.profiles import PROFILES
from node.hw.typeface import Typeface
from tests.support.event_recorder import PATIENCE_S, EventRecorder


@pytest.fixture(autouse=True)
def _busy_machine_is_no_bus_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a part does at its end is looked at afterwards, and its thread may have to wait for its turn."""
    for module in (board, panel, patterns):
        monkeypatch.setattr(module, "_STOP_WAIT_S", PATIENCE_S)
    monkeypatch.setattr(fake_board_server, "_FLUSH_S", PATIENCE_S)


@pytest.fixture
def events() -> EventRecorder:
    return EventRecorder()


@pytest.fixture(scope="session")
def terminus() -> Typeface:
    typeface = Typeface()

    assert "" == typeface.fault
    return typeface


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "board.sock"


@pytest.fixture
def fake_board(events: EventRecorder, terminus: Typeface, socket_path: Path) -> Iterator[FakeBoard]:
    board = FakeBoard(PROFILES["fake"], events, terminus, socket_path)
    yield board
    board.close()


@pytest.fixture
def outside(fake_board: FakeBoard, socket_path: Path) -> Iterator[FakeBoardClient]:
    with FakeBoardClient(socket_path) as client:
        yield client
