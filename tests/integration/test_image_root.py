"""The image's root, booted: from a seed to a press that central has received (F1, F2). Kernel and card are left out."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.hw.fake_board_client import FakeBoardClient
from tests.support.central_program import running_central
from tests.support.enrolling_town import EnrollingTown, running_service
from tests.support.fleet_broker import free_port
from tests.support.image_root import image_root
from tests.support.mosquitto import Mosquitto
from tests.support.own_groups import own_groups
from wire.seed import SEED_FILE, encode_seed

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="boots a system, which needs root's rights"),
]
LEFT_OUT = ("systemd-networkd", "systemd-resolved", "nftables", "avahi-daemon", "watchlink-gallery", "watchlink-card")
"""They are for a machine with a network and a card of its own; this one shares its host's network."""
PATIENCE_S = 300.0


@contextlib.contextmanager
def booted(root: Path, state: Path, seed: Path) -> Iterator[FakeBoardClient]:
    """The unit, with its board."""
    log = root.with_name("console")
    with log.open("wb") as console, own_groups() as groups:
        machine = subprocess.Popen(
            [
                *(*groups, "systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--volatile=overlay"),
                *(f"--machine=image-{os.getpid()}", "--register=no", "--keep-unit", "--private-users=no"),
                *("--console=read-only", f"--bind={state}:/var/lib/watchlink-node"),
                f"--load-credential=watchlink.{SEED_FILE}:{seed}",
                *(f"systemd.mask={name}.service" for name in LEFT_OUT),
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
        try:
            with FakeBoardClient(state / "board.sock", connect_timeout_s=PATIENCE_S) as board:
                yield board
        except (AssertionError, OSError) as e:
            e.add_note(log.read_text(errors="replace")[-6000:])
            raise
        finally:
            # Killed, it would leave the booted system behind; asked, it powers it off.
            machine.terminate()
            machine.wait(PATIENCE_S)


def test_unit_of_the_image_claims_its_premises_and_its_press_is_received(tmp_path: Path) -> None:
    root = image_root(tmp_path)
    asked = ["systemctl", f"--root={root}", "is-enabled", "avahi-daemon.service"]
    assert "enabled" == subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    port = free_port()
    town = EnrollingTown.found(tmp_path / "town", port=port)
    town.reserve(1)
    broker = Mosquitto(town.fleet.layout.broker / "mosquitto.conf", port)
    central_toml = town.central_toml()
    state, seed = tmp_path / "state", tmp_path / "seed"
    state.mkdir()
    broker.start()
    try:
        with running_service(town) as service, running_central(central_toml) as central:
            seed.write_bytes(encode_seed(town.seed(service.port)))
            with booted(root, state, seed) as board:
                service.wait_for_fact("enrolled", node="00000010")
                board.close()
                central.wait_for_board(
                    lambda shown: any(line.node == "00000010" and line.state == "ok" for line in shown.nodes),
                    "central hears the new shop",
                )
                with FakeBoardClient(state / "board.sock", connect_timeout_s=PATIENCE_S) as buttons:
                    # Held until it has counted, however long the unit waits for its turn.
                    buttons.set_level("attack", "low")
                    buttons.wait_for_face("received", timeout_s=PATIENCE_S)
                    buttons.set_level("attack", "high")
                # The receipt goes out before the page is told.
                central.wait_for_board(lambda shown: bool(shown.cards), "the page has the alert")
                assert ["attack"] == [card.kind for card in central.board().cards]
            assert not (state / SEED_FILE).exists()
    finally:
        broker.stop()
