"""A place for events, a way to wait for them, and boards that are always closed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.hw.fake_board import FakeBoard
from node.hw.fake_board_client import FakeBoardClient
from node.hw.profiles import PROFILES
from node.hw.typeface import Typeface
from tests.support.event_recorder import EventRecorder


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
