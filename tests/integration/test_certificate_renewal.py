"""A certificate renewed at the real service, and what the real broker then makes of the node (F2, ADR 0031)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from msgspec import structs

from enrolment.cli import main
from enrolment.config import load_configuration
from enrolment.list_renewal import ListRenewalError, renew_list_of
from enrolment.register import RegisterCopy
from enrolment.register_copy import copy_of, put_back
from enrolment.rules.lists import read_lists, with_list
from node.renewal.command import DONE, FAILED, renew_all
from provisioning.certificates import IssuedCertificate, issue_client_certificate, issue_crl
from provisioning.cli import main as fleet_main
from provisioning.enforcement import enforce, reload_by_pid_file
from provisioning.fleet import Fleet
from provisioning.records import remember
from runtime.broker_probe import BrokerProbe, Verdict
from runtime.proof_file import read_proof
from tests.support.enrolling_town import EnrollingTown, running_service
from tests.support.fleet_broker import listening, probe_of, wait_until
from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import PUB, SHOP, Town
from tests.support.pairs import write_pair
from wire.fleet_files import PROOF, REGISTER_COPY
from wire.subjects import NODES, SERVICES

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)


@pytest.fixture
def folder(town: Town) -> Iterator[Path]:
    """Of a node that knows the enrolment service, which runs."""
    folder = town.folder(SHOP)
    # Of yesterday: one that is renewed within its first second would not last longer.
    write_pair(folder, issue_client_certificate(town.fleet.folder.issuer(NODES), SHOP, now=datetime.now(UTC) - DAY))
    with running_service(EnrollingTown.of(town.fleet)) as service:
        with (folder / "node.toml").open("a") as file:
            file.write(f'[enrolment]\nhost = "127.0.0.1"\nport = {service.port}\n')
        yield folder


def in_place(folder: Path) -> IssuedCertificate:
    pem = (folder / "client.pem").read_bytes()
    own = x509.load_pem_x509_certificate(pem)
    key = (folder / "client.key").read_bytes()
    return IssuedCertificate(pem, key, own.serial_number, own.not_valid_after_utc, "nodes-1")


def seen(fleet: Fleet, certificate: IssuedCertificate) -> Verdict:
    """What the broker does with it."""
    return probe_of(fleet).observe(certificate, f"watchlink/1/node/{SHOP}/up/health").verdict


def refuse_from_now_on(fleet: Fleet, certificate: IssuedCertificate) -> None:
    """Put it on the list of its issuer, so that whoever connects has another one."""
    fleet_folder = fleet.folder
    with fleet_folder.changing():
        fleet_folder.commit(msgspec.structs.replace(fleet_folder.record, canaries=(remember(certificate),)))
        enforce(fleet_folder, reload_by_pid_file(fleet.layout.pid_file))


def test_node_renewed_in_mid_life_stays_connected_and_its_next_alerts_arrive(
    town: Town,
    folder: Path,
    start_node: Callable[[str], NodeProcess],
    start_central: Callable[[], CentralStandIn],
) -> None:
    old = in_place(folder)
    central, node = start_central(), start_node(SHOP)
    node.press("assist")
    central.wait_for(lambda: len({signed.data for signed in central.alerts()}) == 1, "an alert before")

    assert DONE == renew_all(folder / "node.toml", "1", is_forced=True)
    refuse_from_now_on(town.fleet, old)
    assert seen(town.fleet, old) is Verdict.REVOKED
    node.press("attack")
    central.wait_for(lambda: len({signed.data for signed in central.alerts()}) == 2, "an alert on the same connection")
    town.broker.stop()
    town.broker.start()
    again = start_central()
    node.press("assist")
    again.wait_for(lambda: bool(again.alerts()), "an alert with the new certificate")


def test_session_stays_open_while_the_broker_gets_its_new_certificate(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command of the fleet's timer. Who connects from then on sees the new one."""
    layout, begun = town.fleet.layout, datetime.now(UTC) - 60 * DAY
    Fleet.open(layout.town, clock=lambda: begun).renew("broker")
    town.broker.read_rules_anew()
    probe = probe_of(town.fleet)
    frame = f"watchlink/1/scheme/hart/frame/{SHOP}"
    with listening(town.broker.port, town.folder(SHOP)) as shop:
        wait_until(lambda: days_left(probe) < 31, "the broker shows its old certificate")
        shop.subscribe(frame)
        assert 0 == fleet_main(["renew", "--dir", str(layout.town), "--due"])
        assert days_left(probe) > 88
        shop.publish(frame, b"after")
        shop.wait_for(b"after")
        assert not shop.disconnected.is_set()
        with listening(town.broker.port, town.folder(PUB)) as pub:
            assert not pub.disconnected.is_set()

    assert "The certificate of the broker is renewed." in capsys.readouterr().out


def days_left(probe: BrokerProbe) -> int:
    return (x509.load_der_x509_certificate(probe.shown()).not_valid_after_utc - datetime.now(UTC)).days


def test_pub_that_was_closed_for_two_hundred_days_comes_back_without_a_restart(
    town: Town,
    folder: Path,
    start_node: Callable[[str], NodeProcess],
    start_central: Callable[[], CentralStandIn],
) -> None:
    issuer = town.fleet.folder.issuer(NODES)
    write_pair(folder, issue_client_certificate(issuer, SHOP, now=datetime.now(UTC) - 290 * DAY))
    central, node = start_central(), start_node(SHOP)
    node.press("assist")
    node.wait_for_face("undelivered")

    assert seen(town.fleet, in_place(folder)) is Verdict.REFUSED
    assert DONE == renew_all(folder / "node.toml", "1", is_forced=False)
    assert seen(town.fleet, in_place(folder)) is Verdict.ACCEPTED
    central.wait_for(lambda: bool(central.alerts()), "the alert that waited")


def test_revoked_node_gets_no_certificate_and_the_one_it_had_is_worth_nothing(
    town: Town, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert DONE == renew_all(folder / "node.toml", "1", is_forced=True)
    renewed = in_place(folder)
    assert seen(town.fleet, renewed) is Verdict.ACCEPTED
    town.fleet.revoke(SHOP, reload_by_pid_file(town.fleet.layout.pid_file))

    assert FAILED == renew_all(folder / "node.toml", "1", is_forced=True)
    assert "says that this unit was struck off" in capsys.readouterr().err
    assert seen(town.fleet, renewed) is Verdict.FORBIDDEN, "the fleet does not know it, but the ACL knows the node"
    renew_list(town, f"kill -HUP {town.fleet.layout.pid_file.read_text().strip()}")
    assert seen(town.fleet, renewed) is Verdict.REVOKED


def test_certificate_that_was_made_here_stays_revoked_though_the_machine_was_lost(town: Town, folder: Path) -> None:
    """Only the register knows it; the fleet's own list, of which a new machine's broker begins, does not."""
    assert DONE == renew_all(folder / "node.toml", "1", is_forced=True)
    renewed, layout = in_place(folder), town.fleet.layout
    configuration = load_configuration(layout.enrolment / "enrol.toml")
    kept = copy_of(configuration)
    town.fleet.revoke(SHOP, reload_by_pid_file(layout.pid_file))
    (layout.enrolment / "anew").mkdir()
    anew = structs.replace(configuration, file=structs.replace(configuration.file, state_dir="anew"))
    reload_command = f"kill -HUP {layout.pid_file.read_text().strip()}"

    renew_list_of(anew, layout.broker, reload_command)
    assert seen(town.fleet, renewed) is Verdict.FORBIDDEN, "the rules alone"
    put_back(anew, kept)
    renew_list_of(anew, layout.broker, reload_command)
    assert seen(town.fleet, renewed) is Verdict.REVOKED


def renew_list(town: Town, reload_command: str) -> None:
    layout = town.fleet.layout
    renew_list_of(load_configuration(layout.enrolment / "enrol.toml"), layout.broker, reload_command)


def test_list_of_another_issuer_that_ends_soon_is_told(
    town: Town, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was made here is kept for central's backups all the same."""
    assert DONE == renew_all(folder / "node.toml", "1", is_forced=True)
    capsys.readouterr()
    layout = town.fleet.layout
    issuers = x509.load_pem_x509_certificates((layout.broker / "issuers.pem").read_bytes())
    (services,) = (one for one in issuers if "O=services" in one.subject.rfc4514_string())
    old = issue_crl(town.fleet.folder.issuer(SERVICES), frozenset(), 1, now=datetime.now(UTC) - 21 * DAY)
    crl = layout.broker / "crl.pem"
    crl.write_bytes(with_list(read_lists(crl.read_bytes(), issuers), services.subject, old))
    reload_command = f"kill -HUP {layout.pid_file.read_text().strip()}"
    arguments = ["renew-list", "--broker", str(layout.broker), "--reload-command", reload_command]

    assert 1 == main(["--config", str(layout.enrolment / "enrol.toml"), *arguments])
    said = capsys.readouterr()
    assert "renewed and proven" in said.out
    assert "ANOTHER LIST ENDS" in said.err
    assert "register" not in said.err
    copy = msgspec.json.decode((layout.enrolment / "changed" / REGISTER_COPY).read_bytes(), type=RegisterCopy)
    assert [SHOP] == [one.node for one in copy.certificates]


def test_list_that_the_broker_was_not_told_of_is_not_proven(
    town: Town, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.exists()
    monkeypatch.setattr("enrolment.list_renewal.PROOF_DEADLINE_S", 0)
    layout = town.fleet.layout
    with pytest.raises(ListRenewalError, match="LETS REVOKED CERTIFICATES IN"):
        renew_list(town, "true")
    assert None is not read_proof(layout.changed.with_name(PROOF)), "for central's page"
    monkeypatch.undo()
    renew_list(town, f"kill -HUP {layout.pid_file.read_text().strip()}")

    assert None is read_proof(layout.changed.with_name(PROOF))
