"""The node's memory under one member's flood, in a town of thousands: within half as much again of quiet."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bench.soak_floods import crowded_directory, largest_state
from demo.flood.flooder import Thief
from demo.flood.line import Line, publication
from provisioning.fleet import Fleet, NewNode
from tests.support.fleet_broker import free_port, running_broker
from tests.support.node_process import CentralStandIn, NodeProcess
from wire.directory_parts import split_directory
from wire.ids import NodeId, parse_node
from wire.messages import SyncAnswer
from wire.sync_parts import split_sync_answer
from wire.topics import Down, DownTopic, IncidentTopic

pytestmark = [pytest.mark.integration, pytest.mark.finding(17)]

SHOP, THIEF = "00000010", "00000011"
SENDERS = 5_000
FLOOD_S = 4.0
RATIO_MAX = 1.5


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("memory") / "town"
    fleet = Fleet.init(folder, schemes={"hart": "HART"}, port=free_port())
    fleet.add_all([NewNode("Corner Shop", "", ["hart"], profile="fake"), NewNode("Stolen", "", ["hart"])])
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


def memory_mib(node: NodeProcess) -> float:
    """The most it ever had."""
    lines = Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def answers(shop: NodeId, thief: NodeId) -> Iterator[bytes]:
    """Long answers to a sync, in parts, unsigned."""
    states = tuple(largest_state(number, thief) for number in range(1, 257))
    topic = str(DownTopic(shop, Down.SYNC))
    answer = SyncAnswer(boot_id="c", counter_floor=0, incidents=states, nonce="0" * 32)
    parts = [publication(topic, payload) for payload in split_sync_answer(answer)]
    return itertools.cycle(parts)


@pytest.mark.parametrize("flood", ["quiet", "attacks", "junk", "states", "directories", "parts", "answers"])
def test_node_in_a_large_town_stays_within_half_as_much_again(fleet: Fleet, flood: str) -> None:
    port = fleet.record.broker.port
    thief = Thief(fleet.node_folder(THIEF), THIEF)
    shop = parse_node(SHOP)
    large = crowded_directory(fleet, SENDERS)
    (fleet.node_folder(SHOP) / "directory.json").write_bytes(large)
    small_folder = fleet.node_folder(SHOP)
    central = CentralStandIn(fleet, port)
    try:
        with NodeProcess(small_folder) as node:
            central.wait_for(lambda: bool(central.health(shop)), "it is linked")
            # What it does when pressed is part of quiet; and by then it has done all that a start brings.
            node.press("assist")
            node.wait_for_fact("published")
            quiet = memory_mib(node)
            said: Iterator[bytes] | None = None
            folder, name = fleet.node_folder(THIEF), THIEF
            if flood == "attacks":
                said = thief.frames()
            elif flood == "junk":
                said = thief.junk()
            else:
                central.close()
                folder, name = fleet.layout.central, "00000001"
                to_shop = str(DownTopic(shop, Down.DIRECTORY))
                pieces = split_directory(large)
                if flood == "states":
                    said = (
                        publication(str(IncidentTopic("hart")), msgspec.json.encode(largest_state(n, thief.id)))
                        for n in itertools.count(1)
                    )
                elif flood == "directories":
                    said = (publication(to_shop, piece) for piece in itertools.cycle(pieces))
                elif flood == "answers":
                    said = answers(shop, thief.id)
                elif flood == "parts":
                    said = (publication(to_shop, piece) for piece in itertools.cycle(pieces[:-1]))
            until_s = time.monotonic() + FLOOD_S
            while said and time.monotonic() < until_s:
                # The broker lets go of who fills it; then once more.
                with contextlib.suppress(OSError), Line("127.0.0.1", port, folder, name) as line:
                    while time.monotonic() < until_s:
                        line.send(b"".join(itertools.islice(said, 16)))
            most = memory_mib(node)
            node.press("attack")
            node.wait_for_fact("stored", kind="attack")
    finally:
        central.close()
    assert most <= RATIO_MAX * quiet, (quiet, most)


def test_directory_of_thousands_costs_a_node_less_than_half_as_much_again(fleet: Fleet) -> None:
    shop, large = parse_node(SHOP), crowded_directory(fleet, SENDERS)
    folder = fleet.node_folder(SHOP)
    shutil.rmtree(folder / "state", ignore_errors=True)
    (folder / "directory.json").write_bytes(fleet.layout.directory.read_bytes())
    central = CentralStandIn(fleet, fleet.record.broker.port)
    try:
        with NodeProcess(folder) as node:
            central.wait_for(lambda: bool(central.health(shop)), "it is linked")
            small = memory_mib(node)
            for piece in split_directory(large):
                central.say(str(DownTopic(shop, Down.DIRECTORY)), piece)
            central.wait_for(lambda: central.health(shop)[-1].directory_serial > SENDERS, "it holds it")
            most = memory_mib(node)
    finally:
        central.close()

    assert most <= RATIO_MAX * small, (small, most)
