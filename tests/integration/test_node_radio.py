"""Two node processes with radios on one air, real Dire Wolf in both, no network: the alert goes by radio (N8, N9)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.fleet import Fleet, NewNode
from tests.support.fleet_broker import DEADLINE_S
from tests.support.node_process import NodeProcess

pytestmark = pytest.mark.integration

RADIO = """
[radio]
driver = "fake"
licence = "demo"
[radio.fake]
air_socket = "{air}"
[radio.times]
path_test_first_ms = 600000
"""


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "air"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.air", "--folder", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert "on_air" in process.stdout.readline()
    yield folder / "air.sock"
    process.send_signal(signal.SIGTERM)
    process.wait(DEADLINE_S)
    process.stdout.close()


@pytest.fixture
def fleet(tmp_path: Path, air: Path) -> Fleet:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode(f"Shop {n}", "High St", ["hart"], profile="fake") for n in range(2)])
    for node in ("00000010", "00000011"):
        file = fleet.node_folder(node) / "node.toml"
        file.write_text(file.read_text() + RADIO.format(air=os.path.relpath(air, file.parent)))
    return fleet


def test_node_without_network_is_heard_by_its_neighbour_over_the_air(fleet: Fleet) -> None:
    with NodeProcess(fleet.node_folder("00000010")) as presser, NodeProcess(fleet.node_folder("00000011")) as neighbour:
        presser.press("attack")
        presser.wait_for_fact("over_started", alert="00000010-1")
        presser.wait_for_fact("over_ended")
        heard = neighbour.wait_for_fact("heard", alert="00000010-1")
        neighbour.wait_for_fact("shown", alert="00000010-1")
        neighbour.wait_for_face("neighbour")

        assert "radio" == heard["path"]
        assert [] == [fact for fact in presser.facts if fact["fact"] == "receipt"]


def test_node_hears_over_the_air_who_comes_though_central_is_gone(fleet: Fleet) -> None:
    with NodeProcess(fleet.node_folder("00000010")) as presser, NodeProcess(fleet.node_folder("00000011")) as neighbour:
        presser.press("attack")
        neighbour.wait_for_fact("shown", alert="00000010-1")
        assert neighbour.board
        assert presser.board
        neighbour.wait_for_face("neighbour")
        neighbour.board.press("responding")
        presser.wait_for_fact("response", alert="00000010-1", response="responding")
        view = presser.board.wait_for_face("nearby")

        assert ("COMING", "Shop 1") == (view.headline, view.lines[0])
