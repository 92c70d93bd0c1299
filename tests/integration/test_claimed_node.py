"""A shop that claims its identity: from the seed on its card to an alert that central has received."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from node.hw.fake_board_client import FakeBoardClient
from node.renewal.command import DONE, renew_all
from tests.support.central_program import running_central
from tests.support.enrolling_town import EnrollingTown, running_service
from tests.support.fleet_broker import DEADLINE_S, free_port
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import NodeProcess
from wire.seed import SEED_FILE, Seed, encode_seed

pytestmark = pytest.mark.integration


def start_enrolling(folder: Path, seed: Seed, *more: str) -> subprocess.Popen[str]:
    """``watchlink node enrol`` of a unit whose card has a seed."""
    folder.mkdir(exist_ok=True)
    (folder / SEED_FILE).write_bytes(encode_seed(seed))
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "watchlink.cli", "node", "enrol", "--seed", str(folder / SEED_FILE)),
            *("--config", str(folder / "node.toml"), "--profile", "fake", *more),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def certificates(unit: Path) -> tuple[bytes, bytes]:
    """The node's, and its gallery's."""
    return (unit / "client.pem").read_bytes(), (unit / "gallery.pem").read_bytes()


def test_claimed_shop_is_armed_renews_itself_and_its_alerts_are_received(tmp_path: Path) -> None:
    port = free_port()
    town = EnrollingTown.found(tmp_path / "ä town", port=port)
    town.reserve(1)
    broker = Mosquitto(town.fleet.layout.broker / "mosquitto.conf", port)
    central_toml = town.central_toml()
    broker.start()
    unit = tmp_path / "unit"
    try:
        with running_service(town) as service, running_central(central_toml) as central:
            enrolling = start_enrolling(unit, town.seed(service.port))
            said, _ = enrolling.communicate(timeout=DEADLINE_S)
            assert 0 == enrolling.returncode
            assert "This unit is armed for Shop 0." == said.splitlines()[-1]
            assert not (unit / SEED_FILE).exists()
            with NodeProcess(unit) as shop:
                central.wait_for_board(
                    lambda board: any(line.node == "00000010" and line.state == "ok" for line in board.nodes),
                    "central hears the new shop",
                )
                shop.press("assist")
                shop.wait_for_fact("receipt")
                before = certificates(unit)
                assert DONE == renew_all(unit / "node.toml", "1", is_forced=True)
                assert not set(before) & set(certificates(unit)), "the node's and its gallery's"
                shop.press("attack")
                shop.wait_for_fact("receipt", 2)
    finally:
        broker.stop()


def test_unit_without_a_network_says_so_on_its_panel_until_it_is_ended(tmp_path: Path) -> None:
    unit, board = tmp_path / "unit", tmp_path / "board.sock"
    seed = EnrollingTown.found(tmp_path / "town").seed(free_port())
    enrolling = start_enrolling(unit, seed, "--fake-socket", str(board))
    try:
        panel = FakeBoardClient(board, connect_timeout_s=DEADLINE_S)
        panel.wait_for_face("claim", timeout_s=DEADLINE_S)
        assert enrolling.stdout is not None
        assert "Asking the town" in enrolling.stdout.readline()
        assert "enrolment service does not" in enrolling.stdout.readline()
        panel.close()
        enrolling.terminate()
        assert 1 == enrolling.wait(DEADLINE_S)
    finally:
        enrolling.kill()
        enrolling.communicate()
    assert (unit / SEED_FILE).exists()
