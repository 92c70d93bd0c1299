"""A machine below a folder, and a town's files for it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from installation import places
from installation.machine import Answer, Machine
from provisioning.fleet import Fleet
from wire.directory import DelegateChanges, seal_changes
from wire.signing import SigningKey

DELEGATE: Final = SigningKey(b"d" * 32)


ROUTES: Final = """\
Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 00000000 010AA8C0 0003 0 0 0 00000000 0 0 0
eth0 000AA8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
"""


def delegated(fleet: Fleet, *struck: str) -> bytes:
    """The fleet's directory as the delegate has changed it since."""
    serial = fleet.record.directory_serial + 1 + len(struck)
    changes = DelegateChanges(serial=serial, made_at=fleet.now(), struck=struck)
    return seal_changes(fleet.layout.directory.read_bytes(), changes, DELEGATE, fleet.folder.authority_public())


class BareMachine(Machine):
    """Files below a folder; its programs only note that they were asked. All is installed, enabled and running."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []
        self.refused: set[str] = set()
        """Commands that fail, by their beginning."""
        self.told: dict[str, Answer] = {}
        """Answers of their own."""

    def run(self, *command: str) -> Answer:
        line = " ".join(command)
        self.asked.append(line)
        if line in self.told:
            return self.told[line]
        if any(line.startswith(one) for one in self.refused):
            return Answer(1, "inactive\n")
        return Answer(0, "installed" if command[0] == "dpkg-query" else "The link.\n")

    def acts(self) -> list[str]:
        """What was asked of systemd since the last call, without questions."""
        asked, self.asked = self.asked, []
        return [line for line in asked if line.startswith("systemctl") and " is-" not in line]


def of_the_lan(machine: BareMachine) -> None:
    """Put the machine into 192.168.10.0/24, behind a router, with a resolver."""
    files = {
        "/proc/net/route": ROUTES,
        "/etc/resolv.conf": "# by hand\nnameserver 192.168.10.1\nnameserver fe80::1%eth0\nsearch example\n",
    }
    for path, text in files.items():
        machine.path(path).parent.mkdir(parents=True, exist_ok=True)
        machine.path(path).write_text(text)


@pytest.fixture
def machine(tmp_path: Path) -> BareMachine:
    machine = BareMachine(tmp_path / "machine")
    for folder in ("/opt/watchlink/bin", places.CENTRAL_STATE, places.OFFICE, places.BROKER):
        machine.path(folder).mkdir(parents=True)
    machine.path(places.PROGRAM).touch()
    return machine


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Of a broker on central's machine."""
    return Fleet.init(
        tmp_path / "town",
        schemes={"hart": "HART"},
        broker_folder="/etc/watchlink/broker",
        broker_user="mosquitto",
    )


@pytest.fixture
def town(fleet: Fleet) -> Path:
    return fleet.layout.town
