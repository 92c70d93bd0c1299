"""Who may say and hear what, at a real Mosquitto with the files that ``watchlink fleet`` makes (F2, G4)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.certificates import CertificateAuthority, issue_client_certificate
from provisioning.fleet import Fleet, NewNode
from runtime.broker_probe import BrokerProbe, Verdict
from tests.support.fleet_broker import DEADLINE_S, free_port, listening, probe_of, running_broker
from wire.subjects import NODES

pytestmark = pytest.mark.integration

NOT_AUTHORISED = 0x87
TAKEN = {0x00, 0x10}
"""Success, and success with nobody subscribed."""
HART, PUB, BOTH = "00000010", "00000011", "00000012"
ROOT = "watchlink/1"


@dataclass
class Town:
    """A fleet with its broker running."""

    fleet: Fleet
    port: int

    def identity(self, node: str) -> Path:
        """The folder of a node, or central's."""
        return self.fleet.layout.central if node == "00000001" else self.fleet.node_folder(node)

    def probe(self) -> BrokerProbe:
        """A look at the broker."""
        return probe_of(self.fleet)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    port = free_port()
    # A space in the path: "works from any folder name".
    fleet = Fleet.init(
        tmp_path_factory.mktemp("acl") / "a town", schemes={"hart": "HART", "pubwatch": "Pub Watch"}, port=port
    )
    fleet.add_all(
        [
            NewNode("Corner Shop", "High St", ["hart"]),
            NewNode("Red Lion", "Mill Lane", ["pubwatch"]),
            NewNode("Station Hotel", "", ["hart", "pubwatch"]),
            NewNode("Control room radio", "Town Hall", ["hart", "pubwatch"], kind="gateway"),
        ]
    )
    with running_broker(fleet.layout.broker / "mosquitto.conf", port):
        yield Town(fleet, port)


@pytest.mark.parametrize(
    "topic",
    [
        f"scheme/hart/frame/{HART}",
        f"node/{HART}/up/health",
        f"node/{HART}/up/sync",
        f"node/{HART}/up/heard",
    ],
)
def test_acl_lets_a_node_write_its_own(town: Town, topic: str) -> None:
    with listening(town.port, town.identity(HART)) as shop:
        code = shop.publish(f"{ROOT}/{topic}").value

    assert code in TAKEN


@pytest.mark.parametrize(
    "topic",
    [
        f"{ROOT}/scheme/pubwatch/frame/{HART}",
        f"{ROOT}/scheme/pubwatch/frame/{PUB}",
        f"{ROOT}/scheme/hart/frame/{BOTH}",
        f"{ROOT}/scheme/hart/frame/{HART}/x",
        f"{ROOT}/scheme/hart/incident",
        f"{ROOT}/scheme/hart/central",
        f"{ROOT}/node/{BOTH}/up/health",
        f"{ROOT}/node/{BOTH}/up/heard",
        f"{ROOT}/node/{BOTH}/down/receipt",
        f"{ROOT}/node/{BOTH}/down/air",
        f"{ROOT}/node/{HART}/down/receipt",
        f"{ROOT}/proof/0",
        "$CONTROL/dynamic-security/v1",
        "$SYS/broker/version",
        "elsewhere",
    ],
)
def test_acl_forbids_a_node_to_write_anything_else(town: Town, topic: str) -> None:
    with listening(town.port, town.identity(HART)) as shop:
        code = shop.publish(topic).value

    assert code == NOT_AUTHORISED


def test_acl_keeps_pub_watch_and_others_mail_from_a_hart_node_that_asks_for_everything(town: Town) -> None:
    """G4: one scheme's words never reach a node that is only in the other; ``down`` is for its node alone."""
    with (
        listening(town.port, town.identity(HART)) as shop,
        listening(town.port, town.identity(PUB)) as pub,
        listening(town.port, town.identity("00000001")) as central,
    ):
        for everything in ("#", "+/#", f"{ROOT}/#", "$SYS/#", f"{ROOT}/node/{BOTH}/down/+", f"{ROOT}/node/+/up/+"):
            shop.subscribe(everything)
        pub.publish(f"{ROOT}/scheme/pubwatch/frame/{PUB}", b"pub's frame")
        pub.publish(f"{ROOT}/node/{PUB}/up/health", b"pub's health")
        for topic in ("scheme/pubwatch/incident", "scheme/pubwatch/central", f"node/{BOTH}/down/receipt"):
            central.publish(f"{ROOT}/{topic}", b"not for the shop")
        for topic in ("scheme/hart/incident", "scheme/hart/central", f"node/{HART}/down/receipt"):
            central.publish(f"{ROOT}/{topic}", topic.encode())
        # Central's words come in order, so whatever was not for the shop would be here before the last of these.
        shop.wait_for(f"node/{HART}/down/receipt".encode())
        heard = {payload for _, payload in shop.received}

    assert heard == {b"scheme/hart/incident", b"scheme/hart/central", f"node/{HART}/down/receipt".encode()}


def test_acl_lets_members_of_both_schemes_hear_both(town: Town) -> None:
    with (
        listening(town.port, town.identity(BOTH)) as hotel,
        listening(town.port, town.identity(HART)) as shop,
        listening(town.port, town.identity(PUB)) as pub,
    ):
        for scheme in ("hart", "pubwatch"):
            hotel.subscribe(f"{ROOT}/scheme/{scheme}/frame/+")
        shop.publish(f"{ROOT}/scheme/hart/frame/{HART}", b"shop")
        pub.publish(f"{ROOT}/scheme/pubwatch/frame/{PUB}", b"pub")
        hotel.wait_for(b"shop")
        hotel.wait_for(b"pub")
        heard = sorted(topic for topic, _ in hotel.received)

    assert heard == [f"{ROOT}/scheme/hart/frame/{HART}", f"{ROOT}/scheme/pubwatch/frame/{PUB}"]


def test_acl_lets_central_hear_every_node_and_answer_it(town: Town) -> None:
    with listening(town.port, town.identity("00000001")) as central:
        central.subscribe(f"{ROOT}/scheme/+/frame/+")
        central.subscribe(f"{ROOT}/node/+/up/+")
        with listening(town.port, town.identity(PUB)) as pub:
            pub.subscribe(f"{ROOT}/node/{PUB}/down/+")
            pub.publish(f"{ROOT}/scheme/pubwatch/frame/{PUB}", b"alert")
            pub.publish(f"{ROOT}/node/{PUB}/up/health", b"health")
            central.wait_for(b"alert")
            central.wait_for(b"health")
            central.publish(f"{ROOT}/node/{PUB}/down/receipt", b"receipt")
            pub.wait_for(b"receipt")


def test_acl_lets_a_gateway_relay_what_it_heard_and_read_what_it_shall_put_on_the_air(town: Town) -> None:
    """N9: a relay speaks on its own topic, whoever signed the frame inside; the air is asked for node by node."""
    gateway = town.fleet.nodes[-1]
    assert gateway.kind == "gateway"
    with (
        listening(town.port, town.identity("00000001")) as central,
        listening(town.port, town.identity(gateway.node)) as radio,
    ):
        central.subscribe(f"{ROOT}/node/+/up/+")
        radio.subscribe(f"{ROOT}/node/{gateway.node}/down/+")
        radio.publish(f"{ROOT}/node/{gateway.node}/up/heard", b"shop's frame")
        central.wait_for(b"shop's frame")
        central.publish(f"{ROOT}/node/{gateway.node}/down/air", b"receipt for the air")
        radio.wait_for(b"receipt for the air")


def test_acl_forbids_central_to_speak_as_a_node(town: Town) -> None:
    with listening(town.port, town.identity("00000001")) as central:
        codes = [
            central.publish(f"{ROOT}/scheme/hart/frame/{HART}").value,
            central.publish(f"{ROOT}/node/{HART}/up/health").value,
        ]

    assert codes == [NOT_AUTHORISED, NOT_AUTHORISED]


def test_broker_gives_a_certificate_its_own_client_id_whatever_it_asks_for(town: Town) -> None:
    """Asking for another's client id would otherwise push that other off."""
    with (
        listening(town.port, town.identity(PUB), client_id=PUB) as pub,
        listening(town.port, town.identity(HART), client_id=PUB) as shop,
    ):
        shop.publish(f"{ROOT}/node/{HART}/up/health")
        code = pub.publish(f"{ROOT}/node/{PUB}/up/health").value

        assert code in TAKEN
        assert not pub.disconnected.is_set()


def test_broker_forwards_no_retained_message(town: Town) -> None:
    """Nothing relies on them, so a stolen node cannot leave one to greet everybody who connects."""
    with listening(town.port, town.identity(HART)) as shop:
        shop.client.publish(f"{ROOT}/scheme/hart/frame/{HART}", b"stuck", qos=1, retain=True)

        assert shop.disconnected.wait(DEADLINE_S)


def test_broker_refuses_a_certificate_of_another_ca(town: Town) -> None:
    stranger = CertificateAuthority.create("Watchlink CA of elsewhere", datetime.now(UTC))

    seen = town.probe().observe(issue_client_certificate(stranger, HART), f"{ROOT}/node/{HART}/up/health")

    assert seen.verdict is Verdict.REFUSED
    assert "UNKNOWN_CA" in seen.detail


def test_broker_refuses_an_expired_certificate(town: Town) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=200)
    expired = issue_client_certificate(town.fleet.issuer(NODES), HART, now=long_ago)

    seen = town.probe().observe(expired, f"{ROOT}/node/{HART}/up/health")

    assert seen.verdict is Verdict.REFUSED
    assert "EXPIRED" in seen.detail


def test_broker_refuses_the_servers_own_certificate_as_a_client(town: Town) -> None:
    """Its purpose is to be a server: whoever takes it from the broker's machine is no member."""
    context = _context(town)
    context.load_cert_chain(town.fleet.layout.broker / "server.pem", town.fleet.layout.broker / "server.key")

    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        _first_byte(context, town.port)


def test_broker_refuses_whoever_has_no_certificate(town: Town) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        _first_byte(_context(town), town.port)


def test_broker_refuses_tls_1_2(town: Town) -> None:
    context = _context(town)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(town.identity(HART) / "client.pem", town.identity(HART) / "client.key")

    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        _first_byte(context, town.port)


def test_acl_gives_a_certificate_that_it_does_not_name_nothing(town: Town) -> None:
    """A certificate of our own CA with a name that is no node's: let in, and mute."""
    seen = town.probe().observe(
        issue_client_certificate(town.fleet.issuer(NODES), "000000ff"), f"{ROOT}/node/000000ff/up/health"
    )

    assert seen.verdict is Verdict.FORBIDDEN


def _context(town: Town) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(town.fleet.layout.trusted))


def _first_byte(context: ssl.SSLContext, port: int) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as link,
    ):
        return link.recv(1)
