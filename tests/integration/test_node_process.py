"""The node as it runs: real process, real broker, real certificates, mocked pins (N2, N3, N8, N11, F5)."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.certificates import CertificateAuthority, issue_client_certificate
from provisioning.errors import BrokerUnprovenError
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import BOTH, PUB, SHOP, Town
from wire.directory import open_directory
from wire.frames import Alert
from wire.ids import parse_node
from wire.kinds import AlertKind
from wire.limits import FRAME_BYTES_MAX
from wire.signing import PublicKey, SigningKey
from wire.subjects import NODES
from wire.topics import CentralTopic, Down, DownTopic, IncidentTopic, scheme_frames

pytestmark = pytest.mark.integration

StartNode = Callable[[str], NodeProcess]
StartCentral = Callable[[], CentralStandIn]


def unreceipted(folder: Path) -> list[bytes]:
    """What the node's disk still has to deliver; the node must have ended."""
    with sqlite3.connect(folder / "state" / "node.db") as db:
        rows = db.execute("SELECT data FROM outbox WHERE is_receipted = 0 ORDER BY counter").fetchall()
    db.close()
    return [data for (data,) in rows]


def test_node_publishes_a_press_that_verifies_and_says_received_only_after_the_receipt(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    """N2, N3: PUBACK is not delivery; central's signed receipt is."""
    central, node = start_central(), start_node(BOTH)
    node.press("assist")
    node.wait_for_fact("published")
    central.wait_for(lambda: len({signed.data for signed in central.alerts()}) == 1, "one alert")
    signed = central.alerts()[0]
    layout = town.fleet.layout
    authority = PublicKey(bytes.fromhex((layout.authority / "authority.pub").read_text()))
    signed.verify(open_directory(layout.directory.read_bytes(), authority).senders[parse_node(BOTH)].key)

    assert isinstance(signed.frame, Alert)
    assert (AlertKind.ASSIST, (1, 2)) == (signed.frame.kind, signed.frame.schemes)
    assert [] == [fact for fact in node.facts if fact["fact"] == "receipt"]
    central.receipt(signed.frame, signed_by=SigningKey(bytes(32)))
    central.receipt(signed.frame)
    assert signed.frame.id.text == node.wait_for_fact("receipt")["alert"]
    node.wait_for_face("received")
    assert node.stop() == 0
    assert unreceipted(node.folder) == []


def test_node_sends_attack_to_every_scheme_it_is_in(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    central, node = start_central(), start_node(BOTH)
    node.press("attack")

    def topics() -> set[str]:
        alerts = {signed.data for signed in central.alerts()}
        return {topic for topic, payload in list(central._listener.received) if payload in alerts}

    wanted = {f"watchlink/1/scheme/{slug}/frame/{BOTH}" for slug in ("hart", "pubwatch")}
    central.wait_for(lambda: topics() == wanted, "the alert in both schemes")
    assert central.alerts()[0].frame.kind is AlertKind.ATTACK  # type: ignore[union-attr]


def test_node_says_undelivered_without_a_broker_keeps_it_and_delivers_it_later(
    quiet_town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    """N8, N13: nothing is lost while the network is away, and nobody is told otherwise."""
    node = start_node(SHOP)
    node.press("assist")
    node.wait_for_fact("stored")
    node.wait_for_fact("undelivered")
    node.wait_for_face("undelivered")
    quiet_town.broker.start()
    try:
        central = start_central()
        node.wait_for_fact("published")
        central.wait_for(lambda: bool(central.alerts()), "the alert")
        central.receipt(central.alerts()[0].frame)
        node.wait_for_fact("receipt")
        node.wait_for_face("received")
    finally:
        node.kill()
        quiet_town.broker.stop()


def test_node_loses_nothing_when_the_broker_is_killed(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    central, node = start_central(), start_node(SHOP)
    node.press("assist")
    node.wait_for_fact("published")
    town.broker.kill()
    node.press("attack")
    node.wait_for_fact("stored", 2)
    node.wait_for_fact("undelivered", alert=node.wait_for_fact("stored", kind="attack")["alert"])
    town.broker.start()
    later = start_central()
    later.wait_for(lambda: len({signed.data for signed in later.alerts()}) == 2, "both alerts")
    for signed in {signed.data: signed for signed in later.alerts()}.values():
        later.receipt(signed.frame)
    node.wait_for_fact("receipt", 2)
    counters = {signed.frame.counter for signed in central.alerts() + later.alerts()}

    assert len(counters) == 2
    assert node.stop() == 0
    assert unreceipted(node.folder) == []


def test_node_killed_in_the_middle_sends_identical_bytes_when_it_is_back(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    """N2: kill -9 between the press and the receipt; the same id never carries other bytes."""
    central = start_central()
    first = start_node(SHOP)
    first.press("assist")
    stored = first.wait_for_fact("stored")
    first.kill()
    on_disk = unreceipted(town.folder(SHOP))
    second = start_node(SHOP)
    second.wait_for_fact("published", alert=stored["alert"])
    second.press("attack")
    newer = second.wait_for_fact("published", 1, alert=second.wait_for_fact("stored")["alert"])
    central.wait_for(lambda: len({signed.data for signed in central.alerts()}) == 2, "both alerts")
    sent: dict[str, set[bytes]] = {}
    for signed in central.alerts():
        sent.setdefault(signed.frame.id.text, set()).add(signed.data)

    assert {stored["alert"]: set(on_disk)} == {key: data for key, data in sent.items() if key == stored["alert"]}
    assert {1} == {len(data) for data in sent.values()}
    assert newer["alert"] != stored["alert"]


def test_node_leaves_a_last_will_when_killed_and_none_when_it_ends_in_order(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    """N11: a dead node is known at once, and an orderly end is not taken for one."""
    central, node_id = start_central(), parse_node(SHOP)
    killed = start_node(SHOP)
    central.wait_for(lambda: bool(central.health(node_id)), "its first report")
    central.wait_for(lambda: any(health.machine for health in central.health(node_id)), "what its machine says")
    assert all(health.certificate_ends_at for health in central.health(node_id) if health.machine)
    killed.kill()
    central.wait_for(lambda: central.health(node_id)[-1].state == "lost", "the last will")
    boot_ids = {health.boot_id for health in central.health(node_id)}
    stopped = start_node(SHOP)
    central.wait_for(lambda: central.health(node_id)[-1].state == "armed", "its report")

    assert len(boot_ids) == 1
    assert stopped.stop(signal.SIGINT) == 0
    central.wait_for(lambda: central.health(node_id)[-1].state != "armed", "its goodbye")
    assert ["stopping"] == [health.state for health in central.health(node_id)[-1:]]
    assert {2} == {len({health.boot_id for health in central.health(node_id)})}
    assert [1] == [sum(health.state == "lost" for health in central.health(node_id))]


def reissue(town: Town, node: str, authority: CertificateAuthority, now: datetime, name: str = "") -> None:
    issued = issue_client_certificate(authority, name or node, now=now)
    (town.folder(node) / "client.pem").write_bytes(issued.certificate_pem)
    (town.folder(node) / "client.key").write_bytes(issued.key_pem)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("another CA", "is from another CA than ca_file"),
        ("expired", "expired on"),
        ("another node's", f"is the certificate of {PUB}, not of this node"),
        ("not PEM", "is not a PEM certificate"),
        ("wrong key", "not the key of"),
    ],
)
def test_node_with_a_useless_certificate_says_why_and_stays_armed(
    quiet_town: Town, start_node: StartNode, kind: str, sentence: str
) -> None:
    now = datetime.now(UTC)
    match kind:
        case "another CA":
            reissue(quiet_town, SHOP, CertificateAuthority.create("elsewhere", now), now)
        case "expired":
            reissue(quiet_town, SHOP, quiet_town.fleet.issuer(NODES), now - timedelta(days=200))
        case "another node's":
            reissue(quiet_town, SHOP, quiet_town.fleet.issuer(NODES), now, PUB)
        case "not PEM":
            (quiet_town.folder(SHOP) / "client.pem").write_text("damaged")
        case "wrong key":
            shutil.copy(quiet_town.folder(PUB) / "client.key", quiet_town.folder(SHOP) / "client.key")
    node = start_node(SHOP)
    node.press("assist")
    node.wait_for_fact("stored")
    node.wait_for_face("undelivered")

    assert sentence in node.log()
    assert node.stop() == 0
    assert len(unreceipted(node.folder)) == 1


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("another CA", "the broker refuses our certificate: it is from another CA"),
        ("expired", "the broker refuses our certificate: it has expired"),
        ("revoked", "the broker refuses our certificate: it has been revoked"),
        ("broker of another CA", "is from another CA"),
    ],
)
def test_node_says_in_words_why_the_broker_refuses_it(
    quiet_town: Town, start_node: StartNode, kind: str, sentence: str
) -> None:
    """TLS 1.3 tells a client only after the handshake that it is refused; the sentence must come all the same."""
    now = datetime.now(UTC)
    match kind:
        case "another CA":
            reissue(quiet_town, SHOP, CertificateAuthority.create("elsewhere", now), now)
        case "expired":
            reissue(quiet_town, SHOP, quiet_town.fleet.issuer(NODES), now - timedelta(days=200))
        case "revoked":
            with pytest.raises(BrokerUnprovenError):  # it does not run yet, and will obey when it does
                quiet_town.fleet.revoke(SHOP, lambda: None, deadline_s=0)
        case "broker of another CA":
            elsewhere = CertificateAuthority.create("elsewhere", now)
            (quiet_town.folder(SHOP) / "ca.pem").write_bytes(elsewhere.certificate_pem)
    quiet_town.broker.start()
    try:
        node = start_node(SHOP)
        node.press("assist")
        node.wait_for_face("undelivered")
        wait_until(lambda: sentence in node.log(), sentence)
    finally:
        quiet_town.broker.stop()


def test_node_stores_a_press_when_everything_else_is_broken(quiet_town: Town, start_node: StartNode) -> None:
    """No OLED, no sounder, no LED, no broker, no certificate: the press is on disk."""
    for name in ("client.pem", "client.key", "ca.pem"):
        (quiet_town.folder(SHOP) / name).write_text("damaged")
    node = start_node(SHOP)
    assert node.board
    for part in ("oled", "sounder", "led"):
        node.board.fail(part)
    node.press("attack")
    node.wait_for_fact("stored")
    node.press("assist")
    node.wait_for_fact("stored", 2)

    assert node.stop() == 0
    assert len(unreceipted(node.folder)) == 2


def test_node_says_not_stored_when_the_disk_refuses_and_stores_the_press_once_it_will(
    town: Town, start_node: Callable[..., NodeProcess], start_central: StartCentral
) -> None:
    """N2, N3: what is not on disk is never called saved; nothing pressed is forgotten."""
    central = start_central()
    before = start_node(SHOP)
    before.press("assist")
    old = before.wait_for_fact("published")["alert"]
    before.stop()
    state = town.folder(SHOP) / "state"
    state.rename(state.with_name("away"))
    state.write_text("in the way")
    with NodeProcess(town.folder(SHOP), wait_until_armed=False) as node:
        node.open_board()
        node.press("attack")
        node.wait_for_face("not-stored")
        assert [] == [fact for fact in node.facts if fact["fact"] in ("armed", "stored")]
        state.unlink()
        state.with_name("away").rename(state)
        attack = node.wait_for_fact("stored", kind="attack")["alert"]
        central.wait_for(
            lambda: attack in {signed.frame.id.text for signed in central.alerts()}, "the attack, with its own id"
        )
        assert {1} == {len({s.data for s in central.alerts() if s.frame.id.text == attack})}
        node.wait_for_fact("armed")
        node.wait_for_fact("published", alert=old)


def test_node_counts_what_is_malformed_and_keeps_working(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    central, node_id = start_central(), parse_node(SHOP)
    node = start_node(SHOP)
    central.wait_for(lambda: bool(central.health(node_id)), "its first report")
    for payload in (b"", b"\x00" * 65_000, b"[" * 50_000, b'{"boot_id":"\xe2\x80\xae"}', b"null"):
        central.say(str(IncidentTopic("hart")), payload)
        central.say(str(CentralTopic("hart")), payload)
        for channel in Down:
            central.say(str(DownTopic(node_id, channel)), payload)
    node.press("assist")
    node.wait_for_fact("published")
    central.wait_for(lambda: bool(central.alerts()), "the alert")
    central.receipt(central.alerts()[0].frame)
    node.wait_for_fact("receipt")
    wanted = {"message json", "message too large", "too long", "directory"}
    central.wait_for(lambda: wanted <= set(central.health(node_id)[-1].rejected), "the counters in its report")
    assert FRAME_BYTES_MAX == 96
    assert scheme_frames("hart")


def test_node_in_one_scheme_is_not_told_of_the_other(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    start_central()
    shop, pub, both = start_node(SHOP), start_node(PUB), start_node(BOTH)
    shop.press("assist")
    shop.wait_for_fact("published")
    both.wait_for_fact("shown")
    pub.press("assist")
    pub.wait_for_fact("published")
    both.wait_for_fact("shown", 2)

    assert [] == [fact for node in (shop, pub) for fact in node.facts if fact["fact"] == "shown"]


def test_node_with_a_wrong_configuration_ends_with_status_2_and_one_sentence(quiet_town: Town) -> None:
    file = quiet_town.folder(SHOP) / "node.toml"
    file.write_text(file.read_text().replace("keepalive_s", "keepalives"))
    with NodeProcess(quiet_town.folder(SHOP), wait_until_armed=False) as node:
        status = node.process.wait(DEADLINE_S)

        assert status == 2
        assert (
            node.log()
            .strip()
            .endswith(
                f"{file}: unknown key mqtt.keepalives; did you mean 'keepalive_s'?"
                " (allowed here: ca_file, certificate_file, host, keepalive_s, key_file, port)"
            )
        )
        assert node.log().count("\n") == 1


def test_node_stores_a_press_in_the_middle_of_a_flood(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    """The local lane goes first; what the network drowns us in is bounded and counted."""
    central, node_id = start_central(), parse_node(SHOP)
    node = start_node(SHOP)
    central.wait_for(lambda: bool(central.health(node_id)), "its first report")
    topic = str(DownTopic(node_id, Down.ACK))
    rubbish = bytes.fromhex("11") + bytes(90)
    for n in range(20_000):
        central._listener.client.publish(topic, rubbish, qos=0)
        if n == 10_000:
            assert node.board
            node.board.set_level("assist", "low")
    node.wait_for_fact("stored")
    node.wait_for_fact("published")
    central.wait_for(lambda: bool(central.health(node_id)[-1].rejected), "the counters in its report")

    assert node.stop() == 0


def test_node_ends_with_status_0_when_nobody_reads_its_facts(quiet_town: Town) -> None:
    with NodeProcess(quiet_town.folder(SHOP)) as node:
        node.stop_reading()
        node.put("assist", "low")
        node.wait_for_face("undelivered")
        node.put("assist", "high")

        assert node.stop() == 0
        assert len(unreceipted(node.folder)) == 1


def test_node_ends_with_status_0_when_its_broker_is_frozen(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    central, node = start_central(), start_node(SHOP)
    central.wait_for(lambda: bool(central.health(parse_node(SHOP))), "its first report")
    with town.broker.frozen():
        node.press("assist")
        node.wait_for_face("undelivered")
        assert node.stop() == 0
        assert len(unreceipted(node.folder)) == 1
