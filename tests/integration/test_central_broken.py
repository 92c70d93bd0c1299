"""Central does not go on with a part that everything needs broken: it ends, and is started again (F3)."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from central.app import Central
from central.config import load_configuration
from central.core.view import Change
from central.store.database import Database
from central.store.errors import StoreError
from provisioning.fleet import Fleet
from runtime.logs import FactLog
from runtime.service import Service
from runtime.stop_request import StopRequest
from tests.support.central_town import START
from tests.support.fleet_broker import DEADLINE_S

pytestmark = pytest.mark.integration


def built(tmp_path: Path) -> Central:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=1)
    config = fleet.layout.central / "central.toml"
    config.write_text(config.read_text().replace("port = 8080", "port = 0"))
    return Central(load_configuration(config), FactLog(io.StringIO()), Service())


def test_central_ends_when_its_board_has_lost_a_change(tmp_path: Path) -> None:
    """A board that stands still would be called live by every page, with alerts that nobody sees."""
    central = built(tmp_path)
    central.start()
    waiting = threading.Thread(target=central.wait, args=(should_stop := StopRequest(),))
    waiting.start()

    central._live.show(Change(sequence=1_000_000, at=START))

    waiting.join(DEADLINE_S)
    has_ended_by_itself = not waiting.is_alive()
    should_stop.set()
    assert (True, False) == (has_ended_by_itself, central.stop())


def test_central_starts_on_a_disk_that_takes_no_time_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full one, after a crash: without a page nobody would see what is open, nor why."""

    def refuse(*_: object) -> None:
        raise StoreError("the database refuses: database or disk is full")

    monkeypatch.setattr(Database, "begin_time", refuse)
    central = built(tmp_path)
    central.start()
    assert central.stop()
