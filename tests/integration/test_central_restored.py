"""Central's machine is lost; a bare one with the fleet folder and the last backup carries on (C9): real programs."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.core.view import Acknowledge, Done, Person, StartDuty
from provisioning.fleet import Fleet, NewNode
from tests.support.central_program import CentralProgram, running_central
from tests.support.fleet_broker import DEADLINE_S, free_port, wait_until
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import NodeProcess
from tests.support.node_town import SHOP, Town

pytestmark = pytest.mark.integration

CCTV = Person("cctv", "Ann Jones")
COMMAND = "import sys; from watchlink.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town with a central and a shop, whose broker runs."""
    port = free_port()
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=port, web_port=free_port())
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], profile="fake")])
    broker = Mosquitto(fleet.layout.broker / "mosquitto.conf", port)
    broker.start()
    yield Town(fleet, broker)
    broker.stop()


def watchlink(*words: str | Path) -> str:
    """One command, done."""
    command = [sys.executable, "-c", COMMAND, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def numbers_used(config: Path) -> tuple[int, int]:
    """The highest frame counter that central may have signed with, and its highest entry."""
    with sqlite3.connect(config.parent / "state" / "central.db") as disk:
        (counter,) = disk.execute("SELECT value FROM counters WHERE name = 'frames'").fetchone()
        (entry,) = disk.execute("SELECT max(entry) FROM frames").fetchone()
    disk.close()
    return counter, entry


def linked(central: CentralProgram) -> CentralProgram:
    central.wait_for_board(lambda board: board.is_broker_linked, "central is linked")
    return central


def test_lost_central_is_restored_and_alerts_flow_and_nothing_is_lost(town: Town, tmp_path: Path) -> None:
    config, backups, key = town.fleet.layout.central / "central.toml", tmp_path / "backups", tmp_path / "key"
    backups.mkdir()
    told = watchlink("central", "backup-key", "--to", key)
    fleet_folder = tmp_path / "fleet folder"
    shutil.copytree(config.parent, fleet_folder)
    with config.open("a") as file:
        file.write(told.partition("\n")[2])
    with NodeProcess(town.folder(SHOP)) as shop:
        with running_central(config) as central:
            linked(central)
            central.act(StartDuty("page"), CCTV)
            shop.press("assist")
            first = shop.wait_for_fact("receipt")["alert"]
            central.card(first)

            watchlink("central", "backup", "--config", config, "--to", backups)

            assert Done is type(central.act(Acknowledge(first, "assist"), CCTV))
            shop.wait_for_face("answered")
            shop.press("attack")
            second = shop.wait_for_fact("receipt", 2)["alert"]
            central.kill()
        counter, entry = numbers_used(config)
        shutil.rmtree(config.parent)
        shutil.copytree(fleet_folder, config.parent)
        (backup,) = backups.iterdir()

        said = watchlink("central", "restore", "--config", config, "--from", backup, "--identity", key)

        assert "Everybody signs in again" in said
        (of_backup,) = config.parent.glob("central.toml.of-*")
        assert f"compare {of_backup}" in said
        # The fleet's knew neither the office nor the backups.
        shutil.copy(of_backup, config)
        with running_central(config) as central:
            linked(central)
            shop.wait_for_fact("receipt", 2, alert=second)
            central.card(first, alert_count=2)
            assert () == central.board().on_duty
            again = numbers_used(config)
            assert again[0] > counter
            assert again[1] > entry
            # On the new machine no backup was made yet.
            wait_until(lambda: "none has been made" in central.open("me.json").read().decode(), "the page tells of it")
            # What the new one says counts, although the shop has heard the lost one say more.
            assert Done is type(central.act(Acknowledge(first, "attack"), CCTV))
            shop.wait_for_face("answered")
