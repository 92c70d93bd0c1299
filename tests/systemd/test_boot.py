"""Broker, central and node under a real systemd as PID 1: ready, locked in, talking, and revived when hung (F3)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from provisioning.fleet import Fleet
from tests.support.booted_system import PROGRAM, Proof, boot, product

pytestmark = pytest.mark.integration

TRANSMITTER: Final = """
import pathlib, threading, time
from node.hw.radio.ptt import PttSettings
from node.hw.radio.ptt_guarded import GuardedPtt

def transmit_when_told():
    ptt, told = GuardedPtt(PttSettings(method="cm108", hidraw="/var/lib/watchlink-node/hidraw")), pathlib.Path("over")
    while True:
        if told.exists():
            told.unlink()
            ptt.key(30_000)
        time.sleep(0.02)

if sys.argv[1:3] == ["node", "--config"]:
    threading.Thread(target=transmit_when_told, daemon=True).start()
from watchlink.cli"""
"""In the node's program: a radio's driver that begins an over when told. (The real one is in ``test_radio_boot``.)"""
LINE: Final = '[radio.ptt]\nmethod = "cm108"\nhidraw = "/var/lib/watchlink-node/hidraw"\n'
UNKEYED_WITHIN_MS: Final = 1_000
WATCHDOG_MS: Final = 3_000
SHORT_WATCHDOG: Final = f"[Service]\nWatchdogSec={WATCHDOG_MS}ms\n"


@pytest.fixture(scope="module")
def proof(debian_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """Boot once, let ``boot-proof.sh`` do its work, and read what it saw."""
    folder = tmp_path_factory.mktemp("boot")
    fleet = Fleet.init(
        folder / "town",
        schemes={"hart": "HART"},
        broker_folder="/etc/watchlink/broker",
        broker_user="mosquitto",
    )
    identity = fleet.node_folder(fleet.add("Corner Shop", "High St", ["hart"], profile="fake").node)
    with (identity / "node.toml").open("a") as config:
        config.write(LINE)
    central = folder / "central-state"
    shutil.copytree(fleet.layout.central, central / "central")
    shutil.copy(fleet.layout.directory, central)
    script = Path(__file__).with_name("boot-proof.sh")
    return boot(
        debian_root,
        folder,
        product(folder, script, PROGRAM.replace("\nfrom watchlink.cli", TRANSMITTER), SHORT_WATCHDOG),
        {central: "/var/lib/watchlink-central", fleet.layout.broker: "/etc/watchlink/broker"},
        identity,
    )


@pytest.mark.parametrize("unit", ["mosquitto", "watchlink-central", "watchlink-node"])
def test_unit_reaches_ready(proof: Proof, unit: str) -> None:
    started = proof.properties(f"{unit}.started")

    assert (started["ActiveState"], started["SubState"], started["NRestarts"]) == ("active", "running", "0"), (
        proof.text("journal")
    )


@pytest.mark.parametrize("sender", ["00000001", "00000010"])
def test_locked_in_programs_reach_the_locked_in_broker(proof: Proof, sender: str) -> None:
    """Sockets, TLS, certificates and threads all work under the units' locks, on Debian's own Python."""
    assert f" as {sender} " in proof.text("broker-log")


def test_node_runs_without_any_privilege(proof: Proof) -> None:
    said = dict(line.split(":\t", 1) for line in proof.text("process").splitlines())

    assert said == {"CapEff": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}


def test_node_has_adopted_its_identity_for_itself_alone(proof: Proof) -> None:
    assert proof.text("identity") == "watchlink-node 400 /var/lib/watchlink-node/signing.key\n"


def test_hung_node_is_killed_by_the_watchdog_and_started_again(proof: Proof) -> None:
    before, after = proof.properties("watchlink-node.started"), proof.properties("watchlink-node.restarted")

    assert "Watchdog timeout" in proof.text("node-log")
    assert (after["ActiveState"], after["NRestarts"]) == ("active", "1")
    assert after["MainPID"] != before["MainPID"]


@pytest.mark.parametrize("unit", ["mosquitto", "watchlink-central", "watchlink-node"])
def test_unit_stops_cleanly(proof: Proof, unit: str) -> None:
    stopped = proof.properties(f"{unit}.stopped")

    assert (stopped["ActiveState"], stopped["Result"]) == ("inactive", "success")


def test_transmit_key_is_off_before_the_node_starts(proof: Proof) -> None:
    """N10: whatever was left of the last run, and whether or not the node gets as far as its radio."""
    reports = proof.text("line-at-start").splitlines()

    assert " 00 00 04 04 00" == reports[0]
    assert {" 00 00 00 04 00"} == set(reports[1:])
    assert "transmit key off" in proof.text("node-log").split("armed")[0]


@pytest.mark.parametrize("end", ["killed", "stopped", "slain"])
def test_transmit_key_is_off_within_a_second_of_any_end(proof: Proof, end: str) -> None:
    """N10, F3: the node killed with -9 in the middle of an over; stopped; killed together with its guard."""
    assert min(map(int, proof.text(f"unkeyed.{end}").split())) <= UNKEYED_WITHIN_MS


def test_transmit_key_of_a_node_without_guard_is_put_off_by_the_stop_action(proof: Proof) -> None:
    assert "code=exited ; status=0" in proof.text("stop-action")


def test_transmit_key_of_a_hung_node_is_off_when_the_watchdog_bites(proof: Proof) -> None:
    """Long before its guard's own time is up, and before the hung process is gone."""
    assert int(proof.text("unkeyed.hung")) <= WATCHDOG_MS + UNKEYED_WITHIN_MS


def test_rules_for_devices_are_understood(proof: Proof) -> None:
    assert "Success: 1" in proof.text("udev")
