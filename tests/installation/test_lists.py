"""Which revocation lists the broker gets beside an enrolment service: nobody is let in again."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from enrolment import cli as enrolment_cli
from enrolment.issuer import NodesIssuer
from enrolment.list_renewal import BrokerFolder, renew_list
from installation import places
from installation.install import Order, install
from installation.lists import JOINING
from installation.machine import Answer
from installation.pack import read_pack
from installation.revocation import list_of, other_lists
from provisioning.certificates import issue_crl
from provisioning.enrolment import open_enrolment
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet
from provisioning.issuer_changes import cut_off
from runtime.atomic import PUBLIC, write_atomic
from runtime.folder_lock import folder_lock
from tests.enrolment.test_lists import Broker
from tests.installation.conftest import BareMachine
from wire.subjects import NODES

STRUCK_HERE = 4711
"""The serial of a certificate that the service has made, and revoked: the fleet does not know it."""


class EnrollingMachine(BareMachine):
    """Its enrolment service signs when it is asked, as on a real one."""

    at_joining: tuple[bytes, bytes, list[str]] = b"", b"", []
    """The broker's rules and lists when the service was asked, and what had been asked of systemd."""

    def run(self, *command: str) -> Answer:
        if "join-lists" not in command:
            return super().run(*command)
        broker = self.path(places.BROKER)
        asked = [line for line in self.asked if line.startswith("systemctl") and " is-" not in line]
        self.at_joining = (broker / "acl").read_bytes(), (broker / "crl.pem").read_bytes(), asked
        self.asked.append(" ".join(command))
        *_, toml, what, folder = command
        assert {0o755, 0o644} == {path.stat().st_mode & 0o777 for path in (Path(folder), *Path(folder).iterdir())}
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = enrolment_cli.main(["--config", str(self.path(toml)), what, folder])
        return Answer(status, said.getvalue())


@pytest.fixture
def enrolling(machine: BareMachine, fleet: Fleet) -> EnrollingMachine:
    """A machine whose service has renewed the list since the town was installed."""
    open_enrolment(fleet.folder, ["192.0.2.10"])
    found = EnrollingMachine(machine.root)
    installed(found, fleet)
    found.path(f"{places.ENROLMENT_OWN}/delegate.pub").touch()
    renew_here(found, STRUCK_HERE)
    found.acts()
    found.asked.clear()
    return found


def installed(machine: BareMachine, fleet: Fleet, *, is_new_town: bool = False) -> list[str]:
    """What it says."""
    said: list[str] = []
    install(machine, read_pack(fleet.layout.town), said.append, Order(is_new_town=is_new_town))
    return said


def renew_here(machine: BareMachine, *revoked: int) -> None:
    """As the timer does."""
    own = machine.path(places.ENROLMENT_OWN)
    renew_list(
        BrokerFolder(machine.path(places.BROKER)),
        NodesIssuer(own / "nodes.pem", own / "nodes.key"),
        frozenset(revoked),
        reload=lambda: None,
        probe=Broker("h", 1, machine.path(places.LISTS)),
    )


def revoke_at_the_fleet(fleet: Fleet) -> int:
    """A node that the fleet has made; returns its certificate's serial."""
    node = fleet.add("Corner Shop", "High St", ["hart"]).node
    serial = fleet.record.node(node).certificates[0].serial
    with pytest.raises(BrokerUnprovenError):  # there is none
        fleet.revoke(node, lambda: None, deadline_s=0)
    return int(serial, 16)


def serials(machine: BareMachine) -> frozenset[int]:
    """What the broker's list of nodes revokes."""
    held = list_of(machine.path(places.LISTS).read_bytes(), issuer(machine))
    assert held is not None
    return held.serials


def issuer(machine: BareMachine) -> x509.Certificate:
    return x509.load_pem_x509_certificate(machine.path(f"{places.ENROLMENT_OWN}/nodes.pem").read_bytes())


def test_list_that_the_service_has_renewed_is_no_change(enrolling: EnrollingMachine, fleet: Fleet) -> None:
    before = enrolling.path(places.LISTS).read_bytes()

    assert ["Nothing to do: everything is in place."] == installed(enrolling, fleet)
    assert before == enrolling.path(places.LISTS).read_bytes()
    assert [] == enrolling.acts()


def test_pack_brings_the_fleets_revocations_and_takes_none_of_the_services_back(
    enrolling: EnrollingMachine, fleet: Fleet
) -> None:
    struck = revoke_at_the_fleet(fleet)
    said = installed(enrolling, fleet)

    assert {struck, STRUCK_HERE} <= serials(enrolling)
    assert f"updated {places.LISTS}" in said, "and not that somebody had changed it"
    assert "mosquitto has read its files again" in said
    own = issuer(enrolling)
    fleets = (fleet.layout.broker / "crl.pem").read_bytes()
    assert other_lists(fleets, own) == other_lists(enrolling.path(places.LISTS).read_bytes(), own)
    assert ["Nothing to do: everything is in place."] == installed(enrolling, fleet)


def test_broker_obeys_the_fleet_before_anything_is_asked_of_the_service(
    enrolling: EnrollingMachine, fleet: Fleet
) -> None:
    """Whoever has taken the service over has made a register without end: every revocation waited for minutes."""
    revoke_at_the_fleet(fleet)
    installed(enrolling, fleet)

    acl, lists, asked = enrolling.at_joining
    own, fleets = issuer(enrolling), (fleet.layout.broker / "crl.pem").read_bytes()
    assert (fleet.layout.broker / "acl").read_bytes() == acl
    assert other_lists(fleets, own) == other_lists(lists, own)
    assert ["systemctl reload mosquitto"] == asked
    assert ["systemctl reload mosquitto"] * 2 == enrolling.acts()


def test_service_has_a_few_seconds_and_little_memory(enrolling: EnrollingMachine, fleet: Fleet) -> None:
    """As the machine's own programs do it, but without another user."""
    revoke_at_the_fleet(fleet)
    installed(enrolling, fleet)
    (asked,) = (line for line in enrolling.asked if "join-lists" in line)
    limits = asked.split("setpriv")[0].split()
    says = "import resource as r; print(*map(r.getrlimit, (r.RLIMIT_CPU, r.RLIMIT_AS)))"
    said = subprocess.run([*limits[3:], sys.executable, "-c", says], check=True, capture_output=True, text=True)
    hangs = subprocess.run(["timeout", *limits[1:2], "0.1", *limits[3:], "sleep", "60"], check=False)

    assert "(10, 10) (536870912, 536870912)\n" == said.stdout
    assert hangs.returncode in {-9, 137}


def test_lists_are_joined_without_roots_rights_and_nothing_is_left_of_it(
    enrolling: EnrollingMachine, fleet: Fleet
) -> None:
    """Whatever the mask of whoever installs: a timer's, and many an engineer's, lets nobody else read."""
    revoke_at_the_fleet(fleet)
    mask = os.umask(0o077)
    try:
        installed(enrolling, fleet)
    finally:
        os.umask(mask)

    (asked,) = (line for line in enrolling.asked if "join-lists" in line)
    assert "setpriv --reuid=watchlink-enrol --regid=watchlink-enrol --clear-groups --no-new-privs" in asked
    assert not enrolling.path(JOINING).exists()


def test_restored_town_takes_nothing_back_either(enrolling: EnrollingMachine, fleet: Fleet) -> None:
    installed(enrolling, fleet, is_new_town=True)

    assert STRUCK_HERE in serials(enrolling)


def test_service_that_cannot_sign_leaves_the_list_as_it_is_and_all_else_arrives(
    enrolling: EnrollingMachine, fleet: Fleet
) -> None:
    before = serials(enrolling)
    enrolling.path(f"{places.ENROLMENT_OWN}/authority.pub").write_text("no key")
    (enrolling.path(f"{places.ENROLMENT_OWN}/state")).mkdir()
    (enrolling.path(f"{places.ENROLMENT_OWN}/state/register.sqlite3")).write_text("no register")
    revoke_at_the_fleet(fleet)
    said = installed(enrolling, fleet)

    assert before == serials(enrolling)
    assert (fleet.layout.broker / "acl").read_text() == enrolling.path(f"{places.BROKER}/acl").read_text()
    own = issuer(enrolling)
    fleets = (fleet.layout.broker / "crl.pem").read_bytes()
    assert other_lists(fleets, own) == other_lists(enrolling.path(places.LISTS).read_bytes(), own)
    assert [True] == ["'systemctl status watchlink-enrol'" in line for line in said if "STAYS AS IT WAS" in line]


@pytest.mark.parametrize("left_out", ["the fleet's", "the service's", "the list of services"])
def test_service_that_was_taken_over_can_let_nobody_in_again(
    enrolling: EnrollingMachine, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    struck, before = revoke_at_the_fleet(fleet), serials(enrolling)
    kept = {"the fleet's": before, "the service's": {struck}, "the list of services": {struck, *before}}[left_out]
    forged = issue_crl(fleet.issuer(NODES), set(kept), 99, now=fleet.now())
    rest = b"\n".join(other_lists((fleet.layout.broker / "crl.pem").read_bytes(), issuer(enrolling)))
    told = forged + (b"" if left_out == "the list of services" else rest)
    monkeypatch.setattr("installation.lists._signed", lambda *_: told)
    said = installed(enrolling, fleet)

    assert before == serials(enrolling)
    assert any("STAYS AS IT WAS" in line for line in said)


@pytest.mark.parametrize("damage", ["missing", "cut", "over"])
def test_list_that_keeps_nobody_out_is_replaced_by_the_fleets(
    enrolling: EnrollingMachine, fleet: Fleet, damage: str
) -> None:
    file = enrolling.path(places.LISTS)
    match damage:
        case "missing":
            file.unlink()
        case "cut":
            file.write_bytes(file.read_bytes()[:100])
        case _:
            long_ago = datetime.now(UTC) - timedelta(days=40)
            file.write_bytes(issue_crl(fleet.issuer(NODES), {STRUCK_HERE}, 0, now=long_ago))
    installed(enrolling, fleet)

    assert (fleet.layout.broker / "crl.pem").read_bytes() == file.read_bytes()


def test_issuer_that_was_cut_off_gets_no_list_again(enrolling: EnrollingMachine, fleet: Fleet) -> None:
    own = issuer(enrolling)
    with pytest.raises(BrokerUnprovenError):  # there is none
        cut_off(fleet.folder, "nodes-1", lambda: None, deadline_s=0)
    installed(enrolling, fleet)

    assert list_of(enrolling.path(places.LISTS).read_bytes(), own) is None


def test_installation_and_timer_wait_for_one_another(enrolling: EnrollingMachine) -> None:
    """What the timer revokes between the installation's look at the list and its own would be forgotten."""
    own = enrolling.path(places.ENROLMENT_OWN)
    signer, file = NodesIssuer(own / "nodes.pem", own / "nodes.key"), enrolling.path(places.LISTS)
    with folder_lock(enrolling.path(places.BROKER)):
        timer = threading.Thread(target=renew_here, args=(enrolling, 12))
        timer.start()
        held = list_of(file.read_bytes(), signer.certificate)
        assert held is not None
        new = signer.revoke({*held.serials, 13}, held.number + 1, datetime.now(UTC))
        write_atomic(file, file.read_bytes().replace(held.pem, new), PUBLIC)
    timer.join()

    assert {12, 13, STRUCK_HERE} <= serials(enrolling)
