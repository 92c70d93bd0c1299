"""A machine below a folder, and a town's files for it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from installation import places
from installation.check import check
from installation.findings import Finding
from installation.install import Order, install
from installation.machine import Answer, Machine
from installation.pack import read_pack
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet
from wire.directory import DelegateChanges, seal_changes
from wire.signing import SigningKey

DELEGATE: Final = SigningKey(b"d" * 32)
HOST: Final = "192.0.2.10"


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

    def wait(self, seconds: float) -> None:
        """Its programs do nothing."""

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


def installed(machine: BareMachine, town: Path | None) -> list[str]:
    """What it says."""
    said: list[str] = []
    install(machine, read_pack(town) if town else None, said.append, Order())
    return said


def told(machine: BareMachine, about: str) -> list[Finding]:
    return [one for one in check(machine) if one.about == about]


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


@pytest.fixture
def enrolling(fleet: Fleet, town: Path) -> Path:
    """A town whose enrolment service runs beside central."""
    open_enrolment(fleet.folder, [HOST])
    return town


@pytest.fixture
def with_key(machine: BareMachine, enrolling: Path) -> BareMachine:
    """The town installed, and the service has made its key."""
    installed(machine, enrolling)
    for name, text in {"delegate.key": (b"d" * 32).hex(), "delegate.pub": DELEGATE.public.raw.hex()}.items():
        machine.path(f"{places.ENROLMENT_OWN}/{name}").write_text(text)
    return machine
