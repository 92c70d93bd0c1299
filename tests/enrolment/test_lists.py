"""Revocation lists: a file that would open the broker, or close it, is never one that it is told to read."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enrolment.config import load_configuration
from enrolment.issuer import LIST_LIFE, NodesIssuer
from enrolment.list_renewal import (
    REGISTER,
    BrokerFolder,
    ListRenewalError,
    reload_by,
    renew_list,
    renew_list_of,
)
from enrolment.register import Register, RegisterError
from enrolment.rules.lists import ListError, check_lists, read_lists, with_list
from provisioning.broker import PROOF_USER
from provisioning.certificates import issue_client_certificate, issue_crl
from runtime.broker_probe import BrokerProbe, Observation, Shown, Verdict
from tests.support.enrolling_town import EnrollingTown
from wire.signing import SigningKey
from wire.subjects import NODES

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


class Broker(BrokerProbe, frozen=True):
    """As a broker that obeys, or one that does not."""

    canary: Verdict = Verdict.REVOKED
    control: Verdict = Verdict.FORBIDDEN

    def observe(self, certificate: Shown, topic: str) -> Observation:
        """By what the list in its folder says of the certificate."""
        del topic
        serial = x509.load_pem_x509_certificate(certificate.certificate_pem).serial_number
        lists = x509.load_pem_x509_crl(self.ca_file.read_bytes())
        is_revoked = lists.get_revoked_certificate_by_serial_number(serial) is not None
        return Observation(self.canary if is_revoked else self.control, "its words")


@dataclass
class Lists:
    """A broker's folder, and the service that renews the nodes' list in it."""

    town: EnrollingTown
    issuer: NodesIssuer
    reloads: list[bytes]
    probe: Broker

    @property
    def file(self) -> Path:
        return self.town.fleet.layout.broker / "crl.pem"

    @property
    def issuers(self) -> list[x509.Certificate]:
        return BrokerFolder(self.file.parent).issuers()

    def renew(self, *revoked: int, now: datetime = NOW) -> datetime:
        return renew_list(
            BrokerFolder(self.file.parent),
            self.issuer,
            frozenset(revoked),
            reload=lambda: self.reloads.append(self.file.read_bytes()),
            probe=self.probe,
            now=now,
            deadline_s=0,
        )

    def serials(self) -> frozenset[int]:
        return read_lists(self.file.read_bytes(), self.issuers)[self.issuer.certificate.subject].serials

    def fails(self, words: str) -> None:
        """Nothing is changed, and the broker is told nothing."""
        before = self.file.read_bytes() if self.file.exists() else None
        with pytest.raises(ListRenewalError, match=words):
            self.renew(1)
        assert before == (self.file.read_bytes() if self.file.exists() else None)
        assert [] == self.reloads


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    town = EnrollingTown.found(tmp_path / "town")
    issuer = NodesIssuer(town.folder / "nodes.pem", town.folder / "nodes.key")
    folder = town.fleet.layout.broker
    return Lists(town, issuer, [], Broker("h", 1, folder / "crl.pem"))


def test_new_list_keeps_what_was_revoked_and_adds_to_it(lists: Lists) -> None:
    lists.renew(7)
    assert {7} <= lists.serials()
    lists.renew(8)

    assert {7, 8} <= lists.serials()
    assert 2 == len(lists.reloads)


def test_other_issuers_lists_stay_as_they_are(lists: Lists) -> None:
    def of_services() -> bytes:
        name = next(one.subject for one in lists.issuers if one.subject != lists.issuer.certificate.subject)
        return read_lists(lists.file.read_bytes(), lists.issuers)[name].pem

    before = of_services()
    lists.renew(7)

    assert before == of_services()


def test_first_end_of_all_lists_is_told(lists: Lists) -> None:
    services_end = min(one.ends_at for one in read_lists(lists.file.read_bytes(), lists.issuers).values())

    assert services_end == lists.renew(now=NOW + 5 * DAY)
    own = read_lists(lists.file.read_bytes(), lists.issuers)[lists.issuer.certificate.subject]
    assert NOW + 5 * DAY + LIST_LIFE == own.ends_at


def test_canaries_that_have_ended_leave_the_list(lists: Lists) -> None:
    for day in range(5):
        lists.renew(7, now=NOW + day * DAY)

    assert 2 == len(lists.serials()), "the node's and the last canary"


def test_fleets_canaries_that_have_ended_leave_the_list_too_and_nothing_else_does(lists: Lists) -> None:
    """A pack brings one each day. Of any other certificate it is not known here when it ends."""
    issuer, hour = lists.town.fleet.issuer(NODES), timedelta(hours=1)
    canary = issue_client_certificate(issuer, PROOF_USER, now=NOW, life=hour, is_for_proof=True)
    nodes = issue_client_certificate(issuer, "00000010", now=NOW, life=hour)
    lists.renew(7, canary.serial, nodes.serial)
    lists.renew(now=NOW + hour - timedelta(seconds=1))
    assert {7, canary.serial, nodes.serial} <= lists.serials()
    lists.renew(now=NOW + DAY)

    assert {7, nodes.serial} < lists.serials()
    assert canary.serial not in lists.serials()


def test_damaged_file_is_not_touched_and_not_read_by_the_broker(lists: Lists) -> None:
    lists.file.write_bytes(lists.file.read_bytes()[:-40])
    lists.fails("damaged: a broker that reloads it lets everybody in.*The broker was not told")


def test_file_that_is_gone_is_told(lists: Lists) -> None:
    lists.file.unlink()
    lists.fails("NOT renewed")


def test_issuer_without_a_list_gets_none(lists: Lists) -> None:
    """It was cut off: a list would let its certificates in again."""
    folder = lists.file.parent
    issuers = (folder / "issuers.pem").read_bytes()
    own = lists.issuer.certificate
    kept = [one for one in x509.load_pem_x509_certificates(issuers) if one != own]
    folder.joinpath("issuers.pem").write_bytes(b"".join(pem_of(one) for one in kept))
    held = read_lists(lists.file.read_bytes(), [*kept, own])
    lists.file.write_bytes(b"".join(one.pem for name, one in held.items() if name != own.subject))
    lists.fails("this issuer was cut off")


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def test_list_that_is_missing_is_told(lists: Lists) -> None:
    held = list(read_lists(lists.file.read_bytes(), lists.issuers).values())
    lists.file.write_bytes(held[0].pem)
    lists.fails("is missing")


def test_lists_that_are_there_twice_or_of_a_stranger_are_refused(lists: Lists, tmp_path: Path) -> None:
    data = lists.file.read_bytes()
    other = EnrollingTown.found(tmp_path / "other").fleet.folder.issuer(NODES)
    stranger = issue_crl(other, frozenset(), 1, now=NOW)
    for more in (data, stranger):
        with pytest.raises(ListError, match="of no issuer of this fleet, or there twice"):
            read_lists(data + more, lists.issuers)


def test_list_that_somebody_else_signed_in_an_issuers_name_is_refused(lists: Lists, tmp_path: Path) -> None:
    other = EnrollingTown.found(tmp_path / "other").fleet.folder.issuer(NODES)
    forged = with_list(
        read_lists(lists.file.read_bytes(), lists.issuers),
        lists.issuer.certificate.subject,
        issue_crl(other, frozenset(), 1, now=NOW),
    )
    with pytest.raises(ListError, match="of no issuer of this fleet"):
        read_lists(forged, lists.issuers)


@pytest.mark.parametrize(
    ("revoked", "later", "words"),
    [(frozenset({99}), timedelta(), "lacks a revoked"), (frozenset(), LIST_LIFE + DAY, "has ended already")],
)
def test_list_that_a_broker_must_not_read_is_seen(
    lists: Lists, revoked: frozenset[int], later: timedelta, words: str
) -> None:
    with pytest.raises(ListError, match=words):
        check_lists(lists.file.read_bytes(), lists.issuers, revoked, lists.issuer.certificate.subject, NOW + later)


@pytest.mark.parametrize(
    ("canary", "control", "words"),
    [
        (Verdict.ACCEPTED, Verdict.FORBIDDEN, "LETS REVOKED CERTIFICATES IN"),
        (Verdict.REVOKED, Verdict.REFUSED, "refuses valid certificates too"),
        (Verdict.REVOKED, Verdict.UNREACHABLE, "did not answer"),
    ],
)
def test_broker_that_does_not_obey_is_told(lists: Lists, canary: Verdict, control: Verdict, words: str) -> None:
    lists.probe = Broker("h", 1, lists.file, canary=canary, control=control)
    with pytest.raises(ListRenewalError, match=f"NOT PROVEN: .*{words}.*treat the broker as open"):
        lists.renew(7)


def test_reload_that_fails_is_not_proven(lists: Lists) -> None:
    def fail() -> None:
        raise OSError("no systemd")

    with pytest.raises(ListRenewalError, match="NOT PROVEN: no systemd"):
        renew_list(
            BrokerFolder(lists.file.parent),
            lists.issuer,
            frozenset(),
            reload=fail,
            probe=lists.probe,
        )


def test_certificate_that_looks_at_the_broker_has_no_rights_there(lists: Lists) -> None:
    lists.renew()
    acl = (lists.file.parent / "acl").read_text()

    assert PROOF_USER in acl, "the fleet's own has some"
    assert "proof-of-lists" not in acl


def test_broker_of_this_machine_is_told_by_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    pids = tmp_path / "unified/system.slice/mosquitto.service/cgroup.procs"
    pids.parent.mkdir(parents=True)
    monkeypatch.setattr("enrolment.list_renewal.CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr("os.kill", lambda pid, number: told.append((pid, number)))
    pids.write_text("")
    with pytest.raises(OSError, match="does not run"):
        reload_by("")()
    pids.write_text("4711\n")
    reload_by("")()

    assert [(4711, signal.SIGHUP)] == told


def test_list_is_not_made_by_the_register_of_another_town(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows none of this town's certificates, so that who is struck would stay off the list in silence."""
    configuration = load_configuration(lists.town.folder / "enrol.toml")
    (lists.town.folder / "state").mkdir(exist_ok=True)
    Register(lists.town.folder / "state" / REGISTER, SigningKey(b"1" * 32).public).close()
    before = lists.file.read_bytes()
    monkeypatch.setattr("enrolment.list_renewal.PROOF_DEADLINE_S", 0)

    with pytest.raises((RegisterError, ListRenewalError), match="another town's"):
        renew_list_of(configuration, lists.file.parent, "true")
    assert before == lists.file.read_bytes()
