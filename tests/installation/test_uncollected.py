"""Units that were claimed and not collected, when a directory comes that does not know them."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation import places
from installation.errors import InstallError
from installation.install import Order, install
from installation.pack import read_pack
from provisioning.claims import reserve, withdraw
from provisioning.delegate import delegate_to, end_delegation
from provisioning.fleet import Fleet, NewNode
from tests.installation.conftest import DELEGATE, BareMachine, installed, told
from wire.directory import DelegateChanges, SenderEntry, seal_changes
from wire.signing import SigningKey

INVENTED = "00000030"


class SigningMachine(BareMachine):
    """Its service signs while it is waited for."""

    signed = b""

    def wait(self, seconds: float) -> None:
        del seconds
        if self.signed:
            self.path(places.CHANGED).write_bytes(self.signed)


@pytest.fixture
def uncollected(with_key: BareMachine, fleet: Fleet, enrolling: Path) -> SigningMachine:
    """A unit was claimed and not collected, a thief has added another, and then the fleet has changed something."""
    machine = SigningMachine(with_key.root)
    delegate_to(fleet.folder, DELEGATE.public.raw)
    (shop,) = reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])
    installed(machine, enrolling)
    machine.path(places.CHANGED).parent.mkdir()
    machine.path(places.CHANGED).write_bytes(with_shop(fleet, shop.claim.node, INVENTED))
    fleet.add("Pub", "Quay", ["hart"])
    return machine


def with_shop(fleet: Fleet, *nodes: str) -> bytes:
    """The fleet's directory with such units added by the delegate."""
    added = tuple(
        SenderEntry(node=node, key=SigningKey(node.encode() * 4).public.raw, premises="Shop", schemes=(1,))
        for node in nodes
    )
    changes = DelegateChanges(serial=fleet.record.directory_serial + 1, made_at=fleet.now(), added=added)
    return seal_changes(fleet.layout.directory.read_bytes(), changes, DELEGATE, fleet.folder.authority_public())


def test_units_for_whom_the_service_does_not_sign_again_are_named(
    uncollected: SigningMachine, fleet: Fleet, enrolling: Path
) -> None:
    """It runs no more, or its disk is full: the directory arrives, and a claimed shop is heard by nobody."""
    said = installed(uncollected, enrolling)

    assert [True] == ["UNTIL THE ENROLMENT SERVICE" in line for line in said if "NOBODY HEARS 00000010" in line]
    assert not [line for line in said if INVENTED in line], "a thief's invention"
    assert "nobody hears 00000010 any more" == told(uncollected, "delegation")[0].text
    uncollected.path(places.CHANGED).write_bytes(with_shop(fleet, "00000010"))
    assert ["ok"] == [finding.state for finding in told(uncollected, "delegation")]


def test_units_for_whom_the_service_signs_again_are_not_named(
    uncollected: SigningMachine, fleet: Fleet, enrolling: Path
) -> None:
    uncollected.signed = with_shop(fleet, "00000010")

    assert not [line for line in installed(uncollected, enrolling) if "NOBODY HEARS" in line]
    assert ["ok"] == [finding.state for finding in told(uncollected, "delegation")]


def test_units_of_a_service_that_does_not_start_are_named(uncollected: SigningMachine, enrolling: Path) -> None:
    uncollected.refused = {"systemctl is-active watchlink-enrol", "systemctl start watchlink-enrol"}
    said: list[str] = []

    with pytest.raises(InstallError, match="start watchlink-enrol"):
        install(uncollected, read_pack(enrolling), said.append, Order())

    assert [True] == ["00000010" in line for line in said if "NOBODY HEARS" in line]
    assert "nobody hears 00000010 any more" == told(uncollected, "delegation")[0].text


def test_uncollected_units_of_an_ended_delegate_are_named(
    uncollected: SigningMachine, fleet: Fleet, enrolling: Path
) -> None:
    end_delegation(fleet.folder)
    said = installed(uncollected, enrolling)

    assert [True] == ["00000010" in line for line in said if line.startswith("NOBODY HEARS")]
    withdraw(fleet, "00000010")
    installed(uncollected, enrolling)
    assert not [one for one in told(uncollected, "delegation") if "nobody hears" in one.text]
