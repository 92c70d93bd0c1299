"""A card or a database that forgets (N2, N3): real programs, and older copies of their disks."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.core.view import Acknowledge, Done, Person, StartDuty
from provisioning.fleet import Fleet, NewNode
from tests.support.central_program import CentralProgram, running_central
from tests.support.fleet_broker import free_port
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import NodeProcess
from tests.support.node_town import BOTH, SHOP, Town

pytestmark = pytest.mark.integration

CCTV = Person("cctv", "Ann Jones")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town with a central and two shops, whose broker runs."""
    port = free_port()
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=port, web_port=free_port())
    fleet.add_all(
        [
            NewNode("Corner Shop", "High St", ["hart"], profile="fake"),
            NewNode("Red Lion", "Mill Lane", ["hart"], profile="fake"),
            NewNode("Station Hotel", "", ["hart"], profile="fake"),
        ]
    )
    broker = Mosquitto(fleet.layout.broker / "mosquitto.conf", port)
    broker.start()
    yield Town(fleet, broker)
    broker.stop()


def central_config(town: Town) -> Path:
    return town.fleet.layout.town / "central" / "central.toml"


def committed(town: Town) -> dict[str, bytes]:
    """Every alert on central's disk, by its id."""
    with sqlite3.connect(central_config(town).parent / "state" / "central.db") as disk:
        rows = disk.execute("SELECT sender, counter, data FROM frames WHERE kind = 1").fetchall()
    disk.close()
    return {f"{sender:08x}-{counter}": data for sender, counter, data in rows}


def outbox(town: Town, node: str) -> dict[str, bytes]:
    """Every alert on the node's disk, by its id; the node must have ended."""
    with sqlite3.connect(town.folder(node) / "state" / "node.db") as disk:
        rows = disk.execute("SELECT counter, data FROM outbox").fetchall()
    disk.close()
    return {f"{node}-{counter}": data for counter, data in rows}


def use_counters_from(town: Town, node: str, counter: int) -> None:
    """So high that the clock puts no floor under what an older copy of the card would use."""
    with sqlite3.connect(town.folder(node) / "state" / "node.db") as disk:
        disk.execute("INSERT OR REPLACE INTO kv (key, value) VALUES ('counter', ?)", (counter.to_bytes(8, "big"),))
    disk.close()


def replace_folder(target: Path, copy: Path) -> None:
    shutil.rmtree(target)
    shutil.copytree(copy, target)


def linked(central: CentralProgram) -> CentralProgram:
    central.wait_for_board(lambda board: board.is_broker_linked, "central is linked")
    return central


@pytest.mark.finding(3)
def test_press_after_a_card_lost_its_last_writes_reaches_central(town: Town, tmp_path: Path) -> None:
    """An older copy of the card gives a counter out twice: the second press is an alert of its own all the same."""
    state = town.folder(SHOP) / "state"
    with running_central(central_config(town)) as central:
        linked(central)
        with NodeProcess(town.folder(SHOP)) as node:
            node.stop()
        use_counters_from(town, SHOP, 200_000_000)
        shutil.copytree(state, tmp_path / "older")
        with NodeProcess(town.folder(SHOP)) as node:
            node.press("attack")
            first = node.wait_for_fact("receipt")["alert"]
            node.stop()
        replace_folder(state, tmp_path / "older")
        town.broker.stop()
        with NodeProcess(town.folder(SHOP)) as node:
            node.press("assist")
            second = node.wait_for_fact("stored")["alert"]
            node.wait_for_face("undelivered")
            town.broker.start()
            node.wait_for_face("received")
            told = committed(town)
            received = node.wait_for_fact("receipt")["alert"]
            node.stop()

        assert first == second
        assert received != first
        assert {first, received} == told.keys(), node.facts
        assert outbox(town, SHOP)[received] == told[received]
        central.card(received)


@pytest.mark.finding(4)
def test_alert_that_a_restored_central_has_forgotten_is_sent_again_and_answered(town: Town, tmp_path: Path) -> None:
    """The shop falls back from RECEIVED, reads it again once it is true, and reads the new answer."""
    state = central_config(town).parent / "state"
    with running_central(central_config(town)) as central:
        linked(central)
        central.stop()
    shutil.copytree(state, tmp_path / "backup")
    with NodeProcess(town.folder(SHOP)) as shop, NodeProcess(town.folder(BOTH)) as other:
        with running_central(central_config(town)) as central:
            linked(central)
            central.act(StartDuty("page"), CCTV)
            shop.press("assist")
            alert = shop.wait_for_fact("receipt")["alert"]
            central.card(alert)
            assert Done is type(central.act(Acknowledge(alert, "assist"), CCTV))
            shop.wait_for_face("answered")
            before = committed(town)
            central.kill()
        replace_folder(state, tmp_path / "backup")

        with running_central(central_config(town)) as central:
            linked(central)
            shop.wait_for_fact("receipt", 2, alert=alert)
            shop.wait_for_face("received")
            assert before == committed(town)
            # Its journal grows past what the shop has seen of the lost one.
            for count, button in enumerate(("assist", "attack", "assist", "attack"), start=1):
                other.press(button)
                other.wait_for_fact("receipt", count)
            central.card(alert)
            assert Done is type(central.act(Acknowledge(alert, "assist"), CCTV))
            shop.wait_for_face("answered")
