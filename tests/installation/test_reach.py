"""On an image, units may reach whom they are to at each start, and right after a claim (ADR 0033)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from installation.errors import InstallError
from installation.machine import Answer, Machine
from installation.node_places import GALLERY_TOML, NODE_TOML, SEED
from installation.reach import KEPT, TRIES, let_reach
from tests.appliance.card.test_seed import SEED as NEW_SEED
from wire.seed import encode_seed

NAMES = {"town.example": ["192.0.2.10", "2001:db8::10"], "broker.example": ["192.0.2.20"], "127.0.0.1": ["127.0.0.1"]}
TOML = '[mqtt]\nhost = "broker.example"\n[enrolment]\nhost = "town.example"\n'


class ImageMachine(Machine):
    """What systemd is told, and how often is waited."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.told: dict[str, list[str]] = {}
        self.names = dict(NAMES)
        self.waits = 0
        self.refuses = False
        for path in (NODE_TOML, f"{KEPT}/x"):
            self.path(path).parent.mkdir(parents=True)

    def run(self, *command: str) -> Answer:
        assert ("systemctl", "set-property", "--runtime") == command[:3]
        if self.refuses:
            return Answer(1, "no")
        self.told.setdefault(command[3], []).extend(command[4:])
        return Answer(0, "")

    def wait(self, seconds: float) -> None:
        self.waits += 1

    def resolve(self, host: str) -> Iterable[str]:
        if host not in self.names:
            raise OSError(host)
        return self.names[host]

    def kept(self, unit: str) -> str:
        file = self.path(f"{KEPT}/{unit}.service")
        return file.read_text() if file.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> ImageMachine:
    return ImageMachine(tmp_path)


def test_units_are_let_through_to_whom_they_name_and_it_is_kept(machine: ImageMachine) -> None:
    machine.path(NODE_TOML).write_text(TOML)
    machine.path(GALLERY_TOML).write_text('[office]\nhost = "127.0.0.1"\n')

    assert 0 == let_reach(machine, machine.resolve)
    town = ["IPAddressAllow=192.0.2.10/32", "IPAddressAllow=2001:db8::10/128"]
    assert machine.told == {
        "watchlink-node.service": ["IPAddressAllow=192.0.2.20/32"],
        "watchlink-node-renew.service": town,
        "watchlink-node-enrol.service": town,
        "watchlink-appliance.service": town,
    }
    assert "IPAddressAllow=192.0.2.20/32\n" == machine.kept("watchlink-node")


def test_systemd_is_told_what_is_new_alone_and_what_is_gone_is_not_kept(machine: ImageMachine) -> None:
    machine.path(NODE_TOML).write_text(TOML)
    let_reach(machine, machine.resolve)
    machine.told.clear()
    assert 0 == let_reach(machine, machine.resolve)
    assert {} == machine.told

    machine.names["broker.example"] = ["192.0.2.21"]
    let_reach(machine, machine.resolve)
    assert {"watchlink-node.service": ["IPAddressAllow=192.0.2.21/32"]} == machine.told
    assert "IPAddressAllow=192.0.2.21/32\n" == machine.kept("watchlink-node")


def test_network_that_is_down_cuts_nobody_off(machine: ImageMachine) -> None:
    machine.path(NODE_TOML).write_text(TOML)
    let_reach(machine, machine.resolve)
    machine.names.clear()

    assert 1 == let_reach(machine, machine.resolve)
    assert TRIES == machine.waits
    assert "IPAddressAllow=192.0.2.20/32\n" == machine.kept("watchlink-node")


def test_new_unit_reaches_its_town_by_its_seed(machine: ImageMachine) -> None:
    machine.path(SEED).write_bytes(encode_seed(NEW_SEED))

    assert 0 == let_reach(machine, machine.resolve)
    assert {"watchlink-node.service", "watchlink-node-enrol.service"} <= machine.told.keys()


def test_claim_that_is_made_meanwhile_is_seen(machine: ImageMachine) -> None:
    machine.path(SEED).write_bytes(encode_seed(NEW_SEED))

    def resolve(host: str) -> Iterable[str]:
        machine.path(NODE_TOML).write_text(TOML)
        return machine.resolve(host)

    assert 0 == let_reach(machine, resolve)
    assert "192.0.2.20" in machine.kept("watchlink-node")


def test_what_systemd_refuses_is_not_taken_for_done(machine: ImageMachine) -> None:
    machine.path(NODE_TOML).write_text(TOML)
    machine.refuses = True

    with pytest.raises(InstallError, match="watchlink-node"):
        let_reach(machine, machine.resolve)
    assert "" == machine.kept("watchlink-node")


def test_unit_that_knows_nothing_yet_opens_nothing(machine: ImageMachine) -> None:
    assert 0 == let_reach(machine, machine.resolve)
    assert {} == machine.told
