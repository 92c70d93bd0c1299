"""Broker, central and node under a real systemd as PID 1: ready, locked in, talking, and revived when hung (F3)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from provisioning.fleet import Fleet

pytestmark = pytest.mark.integration

REPOSITORY: Final = Path(__file__).parents[2]
UNITS: Final = REPOSITORY / "systemd"
BOOT_DEADLINE_S: Final = 300
PACKAGES: Final = ("wire", "runtime", "node", "central", "watchlink")

PROGRAM: Final = """\
#!/usr/bin/python3
import pathlib, sys, threading, time
sys.path.insert(0, "/opt/watchlink/lib")

def transmit_when_told():
    from node.hw.radio.ptt import PttSettings
    from node.hw.radio.ptt_guarded import GuardedPtt
    ptt, told = GuardedPtt(PttSettings(method="cm108", hidraw="/var/lib/watchlink-node/hidraw")), pathlib.Path("over")
    while True:
        if told.exists():
            told.unlink()
            ptt.key(30_000)
        time.sleep(0.02)

if sys.argv[1:3] == ["node", "--config"]:
    threading.Thread(target=transmit_when_told, daemon=True).start()
from watchlink.cli import main
raise SystemExit(main())
"""
"""The node, and a radio's driver in it that begins an over when told."""
LINE: Final = '[radio.ptt]\nmethod = "cm108"\nhidraw = "/var/lib/watchlink-node/hidraw"\n'
UNKEYED_WITHIN_MS: Final = 1_000
PROOF_UNIT: Final = "[Unit]\nAfter=basic.target\n[Service]\nType=oneshot\nExecStart=/boot-proof.sh\n"
WATCHDOG_MS: Final = 3_000
SHORT_WATCHDOG: Final = f"[Service]\nWatchdogSec={WATCHDOG_MS}ms\n"


@dataclass
class Proof:
    """What the booted system wrote down."""

    folder: Path

    def text(self, name: str) -> str:
        """One of its files."""
        return (self.folder / name).read_text()

    def properties(self, name: str) -> dict[str, str]:
        """``systemctl show`` of one moment."""
        return dict(line.split("=", 1) for line in self.text(name).splitlines())


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
    node = fleet.add("Corner Shop", "High St", ["hart"], profile="fake")
    with (fleet.node_folder(node.node) / "node.toml").open("a") as config:
        config.write(LINE)
    mounts = {
        UNITS / "watchlink-node.service": "/etc/systemd/system/watchlink-node.service",
        UNITS / "watchlink-central.service": "/etc/systemd/system/watchlink-central.service",
        UNITS / "mosquitto.service.d": "/etc/systemd/system/mosquitto.service.d",
        UNITS / "udev/60-watchlink-radio.rules": "/etc/udev/rules.d/60-watchlink-radio.rules",
        UNITS / "watchlink-adopt": "/opt/watchlink/libexec/watchlink-adopt",
        Path(__file__).with_name("boot-proof.sh"): "/boot-proof.sh",
        _written(folder / "watchlink", PROGRAM, 0o755): "/opt/watchlink/bin/watchlink",
        _written(folder / "proof.service", PROOF_UNIT): "/etc/systemd/system/proof.service",
        _written(
            folder / "watchdog.conf", SHORT_WATCHDOG
        ): "/etc/systemd/system/watchlink-node.service.d/watchdog.conf",
        **{
            UNITS / f"{kind}.d/watchlink-{who}.conf": f"/etc/{kind}.d/watchlink-{who}.conf"
            for kind in ("sysusers", "tmpfiles")
            for who in ("node", "central")
        },
        **{_copied(package, folder / "lib" / package): f"/opt/watchlink/lib/{package}" for package in PACKAGES},
    }
    written = folder / "proof"
    written.mkdir()
    central = folder / "central-state"
    shutil.copytree(fleet.layout.central, central / "central")
    shutil.copy(fleet.layout.directory, central)
    booted = subprocess.run(
        [
            *("systemd-nspawn", "--quiet", f"--directory={debian_root}", "--boot", "--volatile=overlay"),
            *("--register=no", "--keep-unit", "--private-users=no", "--private-network", "--console=read-only"),
            *(f"--bind-ro={_escaped(source)}:{target}" for source, target in mounts.items()),
            f"--bind={_escaped(written)}:/proof",
            f"--bind={_escaped(central)}:/var/lib/watchlink-central",
            f"--bind={_escaped(fleet.layout.broker)}:/etc/watchlink/broker",
            # As flashing does it: the identity comes as credentials, and the unit takes it over.
            *(
                f"--load-credential=watchlink.{path.name}:{path}"
                for path in sorted(fleet.node_folder(node.node).iterdir())
            ),
            *("systemd.unit=multi-user.target", "systemd.wants=proof.service"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BOOT_DEADLINE_S,
        check=False,
    )
    assert (written / "done").exists(), booted.stdout.decode(errors="replace")[-4000:]
    return Proof(written)


def _written(path: Path, text: str, mode: int = 0o644) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def _copied(package: str, target: Path) -> Path:
    # A copy, because the work tree may change under the boot.
    shutil.copytree(REPOSITORY / package, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:")


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
    assert int(proof.text(f"unkeyed.{end}")) <= UNKEYED_WITHIN_MS


def test_transmit_key_of_a_node_without_guard_is_put_off_by_the_stop_action(proof: Proof) -> None:
    assert "code=exited ; status=0" in proof.text("stop-action")


def test_transmit_key_of_a_hung_node_is_off_when_the_watchdog_bites(proof: Proof) -> None:
    """Long before its guard's own time is up, and before the hung process is gone."""
    assert int(proof.text("unkeyed.hung")) <= WATCHDOG_MS + UNKEYED_WITHIN_MS


def test_rules_for_devices_are_understood(proof: Proof) -> None:
    assert "Success: 1" in proof.text("udev")
