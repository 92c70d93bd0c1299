"""Who an issuer's thief can be at a real Mosquitto with the fleet's files: whoever the issuer may sign for, no more."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.broker_log import TELLS_OF_RELOADS
from provisioning.certificates import IssuedCertificate, issue_client_certificate, issue_crl
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet, NewNode
from runtime.broker_probe import Verdict
from tests.support.fleet_broker import free_port, probe_of, running_broker, seen_to_reload, wait_until
from tests.support.hostile_subjects import NAME, ORGANISATION, signed
from wire.subjects import NODES, SERVICES

pytestmark = pytest.mark.integration

CENTRAL, SHOP = "00000001", "00000010"
AS_CENTRAL = f"watchlink/1/node/{SHOP}/down/receipt"
AS_SHOP = f"watchlink/1/scheme/hart/frame/{SHOP}"


def made(town: Path) -> Fleet:
    fleet = Fleet.init(town, schemes={"hart": "HART"}, port=free_port())
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"])])
    return fleet


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = made(tmp_path_factory.mktemp("issuers") / "a town")
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


def seen(fleet: Fleet, certificate: IssuedCertificate, topic: str) -> Verdict:
    return probe_of(fleet).observe(certificate, topic).verdict


def test_each_issuer_signs_for_its_own(live: Fleet) -> None:
    """What the hostile certificates below differ from."""
    central = signed(live.issuer(SERVICES), [(ORGANISATION, "services"), (NAME, CENTRAL)])
    shop = signed(live.issuer(NODES), [(ORGANISATION, "node"), (NAME, SHOP)])

    assert [Verdict.ACCEPTED] * 2 == [seen(live, central, AS_CENTRAL), seen(live, shop, AS_SHOP)]


@pytest.mark.parametrize(
    ("subject", "verdict"),
    [
        ([(ORGANISATION, "node"), (NAME, CENTRAL)], Verdict.FORBIDDEN),
        ([(NAME, CENTRAL)], Verdict.REFUSED),
        ([(ORGANISATION, "services"), (NAME, CENTRAL)], Verdict.REFUSED),
        ([(ORGANISATION, "node"), (ORGANISATION, "services"), (NAME, CENTRAL)], Verdict.FORBIDDEN),
        ([(ORGANISATION, "node"), (NAME, CENTRAL), (ORGANISATION, "services")], Verdict.FORBIDDEN),
        ([(NAME, CENTRAL), (ORGANISATION, "services")], Verdict.REFUSED),
        ([(ORGANISATION, "node"), (NAME, f"{CENTRAL},O=services")], Verdict.FORBIDDEN),
        ([(ORGANISATION, "node"), (NAME, f"{CENTRAL}\\,O=services")], Verdict.FORBIDDEN),
        ([], Verdict.FORBIDDEN),
    ],
    ids=["own", "none", "foreign", "both", "foreign last", "turned", "comma", "escaped comma", "empty"],
)
def test_whoever_has_the_nodes_issuer_is_not_central(
    live: Fleet, subject: list[tuple[str, str]], verdict: Verdict
) -> None:
    """Refused for its issuer's constraint, or let in as somebody whom the ACL gives nothing."""
    assert verdict is seen(live, signed(live.issuer(NODES), subject), AS_CENTRAL)


def test_subject_of_one_part_with_two_values_is_not_central(live: Fleet) -> None:
    subject = [(ORGANISATION, "services"), (NAME, CENTRAL)]

    assert [Verdict.REFUSED] * 2 == [
        seen(live, signed(live.issuer(kind), subject, is_one=True), AS_CENTRAL) for kind in (NODES, SERVICES)
    ]


@pytest.mark.parametrize(
    "subject", [[(ORGANISATION, "node"), (NAME, SHOP)], [(NAME, SHOP)], [(NAME, SHOP), (ORGANISATION, "node")]]
)
def test_whoever_has_the_services_issuer_is_no_node(live: Fleet, subject: list[tuple[str, str]]) -> None:
    assert Verdict.REFUSED is seen(live, signed(live.issuer(SERVICES), subject), AS_SHOP)


@pytest.mark.parametrize(("lost", "kept"), [(NODES, SERVICES), (SERVICES, NODES)])
def test_issuer_without_a_list_is_refused_whole_and_the_other_is_not(tmp_path: Path, lost: str, kept: str) -> None:
    """So a stolen one is cut off, also where the broker only reloads; and the next proof puts a lost list back."""
    fleet = made(tmp_path / "town")
    topics = {NODES: AS_SHOP, SERVICES: AS_CENTRAL}
    names = {NODES: SHOP, SERVICES: CENTRAL}
    own = {kind: issue_client_certificate(fleet.issuer(kind), names[kind]) for kind in (NODES, SERVICES)}
    crl = fleet.layout.broker / "crl.pem"
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port) as broker:
        crl.write_bytes(issue_crl(fleet.issuer(kept), set(), 9, now=fleet.now()))
        broker.send_signal(signal.SIGHUP)
        wait_until(lambda: seen(fleet, own[lost], topics[lost]) is Verdict.REFUSED, "the issuer is refused")
        of_other = seen(fleet, own[kept], topics[kept])

        fleet.enforce(lambda: os.kill(broker.pid, signal.SIGHUP))
        again = [seen(fleet, own[kind], topics[kind]) for kind in (lost, kept)]

    assert [Verdict.ACCEPTED] * 3 == [of_other, *again]


def test_broker_that_believes_the_common_name_is_told_of(tmp_path: Path) -> None:
    """As one does that was not restarted since the fleet got its issuers."""
    fleet = made(tmp_path / "town")
    other = fleet.layout.broker / "other.conf"
    configuration = (fleet.layout.broker / "mosquitto.conf").read_text()
    believing = configuration.replace("use_subject_as_username", "use_identity_as_username")
    other.write_text(f"{believing}\n{TELLS_OF_RELOADS}")
    with running_broker(other, fleet.record.broker.port) as broker:
        reload = seen_to_reload(other.with_name("mosquitto.log"), lambda: os.kill(broker.pid, signal.SIGHUP))
        with pytest.raises(BrokerUnprovenError, match="BELIEVES A CERTIFICATE'S COMMON NAME"):
            fleet.enforce(reload, deadline_s=1)
