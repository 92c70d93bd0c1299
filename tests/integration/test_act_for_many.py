"""Closing all of a stolen node outlasts a central that is killed in its midst (C1)."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from central.config import load_configuration
from central.core.bulk import EACH_TIME_MAX
from central.core.journal import FrameEntry
from central.core.view import Board, CloseRevoked, Done, Person
from central.store.database import Database
from provisioning.fleet import Fleet
from tests.support.central_program import office_of, running_central
from tests.support.fleet_broker import free_port, wait_until
from wire.directory import seal_directory
from wire.frames import Alert, decode, encode
from wire.ids import NodeId
from wire.kinds import AlertKind
from wire.kinds import Path as FramePath
from wire.signing import SigningKey

pytestmark = [pytest.mark.integration, pytest.mark.finding(13)]

ALERTS = 12 * EACH_TIME_MAX
SHOP = NodeId(0x10)
JONES = Person("cctv", "Ann Jones")


def flood(database: Database) -> None:
    """So many open attacks of one node, as the disk has them after a flood."""
    now_at, key = datetime.now(UTC), SigningKey(bytes(range(32)))
    entries = []
    for counter in range(1, ALERTS + 1):
        data = encode(Alert(SHOP, counter, int(time.time()), AlertKind.ATTACK, counter, (1,)), key)
        digest = hashlib.sha256(data).digest()
        entries.append(
            FrameEntry(counter, decode(data), digest, FramePath.NETWORK, now_at, is_late=False, is_clock_ahead=False)
        )
    database.open()
    database.commit(entries)
    database.close()


def open_count(board: Board) -> int:
    return sum(card.stands_for for card in board.cards if card.state != "closed")


def test_closing_of_thousands_goes_on_after_a_kill_in_its_midst(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=1, web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"])
    authority = SigningKey(bytes.fromhex((fleet.layout.authority / "authority.key").read_text().strip()))
    config = fleet.layout.central / "central.toml"
    office_of(config)
    was = Fleet.open(fleet.layout.town).record.directory()
    others = tuple(entry for entry in was.senders if entry.node != f"{SHOP:08x}")
    struck = replace(was, serial=was.serial + 1, issued_at=datetime.now(UTC), senders=others)
    fleet.layout.directory.write_bytes(seal_directory(struck, authority))
    flood(Database(load_configuration(config).database))

    with running_central(config) as central:
        assert ALERTS == open_count(central.board())
        answer = central.act(CloseRevoked(f"{SHOP:08x}", "Stolen or faulty unit"), JONES)
        central.kill()
        assert isinstance(answer, Done)
        assert answer.left

    written = "SELECT count(*), count(DISTINCT incident_counter), kind, name, text FROM actions GROUP BY 3, 4, 5"
    all_closed = [(ALERTS, ALERTS, "closed", JONES.name, "Stolen or faulty unit")]
    with (
        contextlib.closing(sqlite3.connect(config.parent / "state" / "central.db")) as disk,
        running_central(config) as central,
    ):
        # Between two parts no card may stand for what is still on its way back from disk.
        wait_until(lambda: disk.execute(written).fetchall() == all_closed, "the rest is closed, too")
        central.wait_for_board(lambda board: not open_count(board), "and no card stands for any of it")
