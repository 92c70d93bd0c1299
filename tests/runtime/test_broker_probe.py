"""What is concluded from a broker's answer to a certificate: an engineer trusts it to say who is let in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from provisioning.broker import PROOF_USER, proof_topic
from provisioning.certificates import CertificateAuthority, IssuedCertificate, issue_client_certificate, issue_crl
from provisioning.fleet import Fleet
from runtime.broker_probe import BrokerProbe, Observation, Verdict
from tests.support.proof_broker import CONNACK, ProofBroker
from wire.subjects import NODES

TOPIC = proof_topic(0)
WITHIN_S = 60.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ProofBroker]:
    broker = ProofBroker()
    broker.obey(Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=broker.port).layout.broker)
    yield broker
    broker.close()


@pytest.fixture
def ca(broker: ProofBroker, tmp_path: Path) -> CertificateAuthority:
    return Fleet.open(tmp_path / "town").issuer(NODES)


@pytest.fixture
def control(ca: CertificateAuthority) -> IssuedCertificate:
    return issue_client_certificate(ca, PROOF_USER)


def look(broker: ProofBroker, certificate: IssuedCertificate, topic: str = TOPIC) -> Observation:
    probe = BrokerProbe("127.0.0.1", broker.port, broker.orders.folder / "ca.pem", WITHIN_S)
    return probe.observe(certificate, topic)


def test_valid_certificate_is_let_in_and_says_what_it_has_a_right_to(
    broker: ProofBroker, control: IssuedCertificate
) -> None:
    assert Observation(Verdict.ACCEPTED) == look(broker, control)
    broker.close()
    assert ([TOPIC], 1) == (broker.orders.published, broker.orders.left)


def test_message_without_a_right_is_forbidden(broker: ProofBroker, control: IssuedCertificate) -> None:
    assert Observation(Verdict.FORBIDDEN) == look(broker, control, f"{TOPIC}/elsewhere")


def test_revoked_certificate_is_refused_as_revoked(
    broker: ProofBroker, ca: CertificateAuthority, control: IssuedCertificate, tmp_path: Path
) -> None:
    now = Fleet.open(tmp_path / "town").now()
    broker.orders.revoked = broker.orders.folder / "one.pem"
    broker.orders.revoked.write_bytes(issue_crl(ca, {control.serial}, 1, now=now))

    assert Verdict.REVOKED is look(broker, control).verdict
    assert [] == broker.orders.published


def test_certificate_of_another_town_is_refused_but_not_as_revoked(broker: ProofBroker, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"}).issuer(NODES)

    assert Verdict.REFUSED is look(broker, issue_client_certificate(other, PROOF_USER)).verdict


def test_broker_of_another_town_is_told_apart(broker: ProofBroker, control: IssuedCertificate, tmp_path: Path) -> None:
    """It answers at the right address, and says nothing about this town."""
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"}).layout
    ours = broker.orders.folder / "ca.pem"
    broker.orders.folder = other.broker

    seen = BrokerProbe("127.0.0.1", broker.port, ours, WITHIN_S).observe(control, TOPIC)

    assert Verdict.UNREACHABLE is seen.verdict
    assert seen.detail.startswith("it is not this fleet's broker: ")


def test_broker_under_another_name_is_told_apart(
    broker: ProofBroker, ca: CertificateAuthority, control: IssuedCertificate
) -> None:
    client = issue_client_certificate(ca, "127.0.0.1")
    (broker.orders.folder / "server.pem").write_bytes(client.certificate_pem)
    (broker.orders.folder / "server.key").write_bytes(client.key_pem)

    assert "it is not this fleet's broker" in look(broker, control).detail


@pytest.mark.parametrize(
    "puback",
    [b"\x40\x02\x00\x01", b"\x40\x03\x00\x01\x00", b"\x40\x04\x00\x01\x00\x00", b"\x40\x03\x00\x01\x10"],
    ids=["success by default", "success", "success with properties", "nobody listens"],
)
def test_every_way_of_taking_a_message_counts(broker: ProofBroker, control: IssuedCertificate, puback: bytes) -> None:
    """MQTT 5, 3.4.2: the reason code may be left out."""
    broker.orders.puback = puback

    assert Observation(Verdict.ACCEPTED) == look(broker, control)


@pytest.mark.parametrize(
    ("connack", "puback", "detail"),
    [
        (b"\x20\x03\x00\x87\x00", b"", "CONNACK 2003008700"),
        (b"\xd0\x03\x00\x00\x00", b"", "CONNACK d003000000"),
        (CONNACK, b"\x40\x03\x00\x01\x97", "PUBACK 4003000197"),
        (CONNACK, b"\x50\x03\x00\x01\x00", "PUBACK 5003000100"),
    ],
    ids=["not let in", "no CONNACK", "over quota", "no PUBACK"],
)
def test_any_other_answer_is_a_refusal_that_is_shown(
    broker: ProofBroker, control: IssuedCertificate, connack: bytes, puback: bytes, detail: str
) -> None:
    broker.orders.connacks = repeat(connack)
    broker.orders.puback = puback

    assert Observation(Verdict.REFUSED, detail) == look(broker, control)


@pytest.mark.parametrize("puback", [b"", b"\x40", b"\x40\x03\x00"])
def test_broker_that_hangs_up_has_not_answered(broker: ProofBroker, control: IssuedCertificate, puback: bytes) -> None:
    broker.orders.puback = puback

    assert Verdict.UNREACHABLE is look(broker, control).verdict


def test_broker_that_is_not_there_has_not_answered(broker: ProofBroker, control: IssuedCertificate) -> None:
    broker.close()

    seen = look(broker, control)

    assert Verdict.UNREACHABLE is seen.verdict
    assert "refused" in seen.detail


def test_what_speaks_no_tls_has_not_answered(broker: ProofBroker, control: IssuedCertificate) -> None:
    broker.orders.greeting = b"220 mail.example.org\r\n"

    assert Observation(Verdict.UNREACHABLE, "WRONG_VERSION_NUMBER") == look(broker, control)


@pytest.mark.parametrize("greeting", [b"", None], ids=["from the first", "after its handshake"])
def test_broker_that_says_nothing_is_not_waited_for(
    broker: ProofBroker, control: IssuedCertificate, greeting: bytes | None
) -> None:
    broker.orders.greeting, broker.orders.connacks = greeting, repeat(b"")

    seen = BrokerProbe("127.0.0.1", broker.port, broker.orders.folder / "ca.pem", 0.2).observe(control, TOPIC)

    assert Verdict.UNREACHABLE is seen.verdict
    assert "timed out" in seen.detail
