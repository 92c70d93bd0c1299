"""What waits for a node's loop that is held up, by its disk as a rule: bounded in bytes, whoever holds the broker."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from demo.flood import line as flood_line
from demo.flood.line import Line, publication
from node.core.events import DirectoryReceived, Event, IncidentReceived, LinkUp, Offer, SyncAnswered
from node.event_queue import EventQueue
from node.net.mqtt import PahoUplink
from provisioning.fleet import Fleet, NewNode
from runtime.mqtt_link import LinkSettings
from tests.support.fleet_broker import DEADLINE_S, free_port, running_broker, wait_until
from tests.support.raw_member import Node
from wire.directory import open_directory
from wire.ids import NodeId, parse_node
from wire.messages import Health, IncidentState, SyncAnswer
from wire.signing import PublicKey, SigningKey, sign_message
from wire.topics import Down, DownTopic, FrameTopic, IncidentTopic

pytestmark = [pytest.mark.integration, pytest.mark.finding(17)]

SHOP = "00000010"
MIB = 1024 * 1024
NOW = datetime(2026, 3, 7, 23, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _busy_broker_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood_line, "_DEADLINE_S", DEADLINE_S)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port())
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"]), NewNode("Bakery", "High St", ["hart"])])
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


def uplink(fleet: Fleet, offer: Offer) -> PahoUplink:
    """A node's, of which nobody takes what arrives."""
    folder = fleet.node_folder(SHOP)
    settings = LinkSettings(
        host="127.0.0.1",
        port=fleet.record.broker.port,
        ca_file=str(folder / "ca.pem"),
        certificate_file=str(folder / "client.pem"),
        key_file=str(folder / "client.key"),
    )
    authority = PublicKey(bytes.fromhex((folder / "authority.pub").read_text().strip()))
    return PahoUplink(
        settings,
        node=parse_node(SHOP),
        scheme_numbers=(1,),
        key=SigningKey(bytes.fromhex((folder / "signing.key").read_text().strip())),
        authority=authority,
        directory=open_directory(fleet.layout.directory.read_bytes(), authority),
        lost=Health(state="lost", boot_id="b"),
        offer=offer,
    )


def incident(number: int) -> IncidentState:
    return IncidentState(
        incident=f"00000011-{number}",
        revision=number,
        scheme="hart",
        node="00000011",
        premises="Bakery",
        place="",
        kind="attack",
        priority=1,
        state="unanswered",
        opened_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )


def flood_of(kind: str, fleet: Fleet) -> tuple[str, bytes]:
    """A topic and what is said there again and again."""
    shop = NodeId(0x10)
    if kind == "states":
        return str(IncidentTopic("hart")), msgspec.json.encode(incident(1)).ljust(60_000)
    if kind == "answers":
        answer = SyncAnswer(boot_id="c", counter_floor=0, incidents=tuple(map(incident, range(1, 129))))
        return str(DownTopic(shop, Down.SYNC)), msgspec.json.encode(answer).ljust(60_000)
    return str(DownTopic(shop, Down.DIRECTORY)), fleet.layout.directory.read_bytes().ljust(60_000)


@pytest.mark.parametrize(
    ("kind", "waiting_bytes_max"), [("states", 8 * MIB), ("answers", 8 * MIB), ("directories", MIB)]
)
def test_what_waits_for_a_loop_that_is_held_up_is_bounded_in_bytes(
    fleet: Fleet, kind: str, waiting_bytes_max: int
) -> None:
    """Directories the most, because each waits decoded, five times as large."""
    queue = EventQueue()
    link = uplink(fleet, queue.offer)
    link.start()
    found = queue.get(120_000)
    assert found
    assert found[0] == LinkUp()
    topic, payload = flood_of(kind, fleet)
    key = SigningKey(bytes.fromhex((fleet.layout.central / "signing.key").read_text().strip()))
    said = publication(topic, payload, sign_message(key, topic, payload))
    with Line("127.0.0.1", fleet.record.broker.port, fleet.layout.central, "00000001") as line:
        line.send(said * 600)  # more than may wait by their number
    wait_until(lambda: link.dropped > 0, "the queue is full")
    link.stop()

    waiting = [event for event, _ in iter(lambda: queue.get(0), None)]
    large = [event for event in waiting if isinstance(event, IncidentReceived | SyncAnswered | DirectoryReceived)]
    assert 0 < len(large) * len(payload) <= waiting_bytes_max


def test_new_connection_brings_what_a_broker_believed_to_have_sent(fleet: Fleet) -> None:
    """Of what it dropped, it keeps 100 as "in flight" (N11): no answer of central's came again on that connection."""
    goes_on, came = threading.Event(), threading.Event()

    def take_slowly(event: Event, _waiting_max: int, _size: int = 0) -> bool:
        goes_on.wait()
        if isinstance(event, IncidentReceived):
            came.set()
        return True

    goes_on.set()
    link = uplink(fleet, take_slowly)
    link.start()
    wait_until(lambda: link.is_up, "connected")
    goes_on.clear()
    thief = Node(fleet, "00000011", "hart", 1)
    with contextlib.closing(thief.client):
        topic = str(FrameTopic("hart", thief.id))
        for _ in range(40_000):
            thief.client.client.publish(topic, bytes(100), qos=0)
        for _ in range(200):
            thief.client.publish(topic, b"junk")
    log = fleet.layout.broker / "mosquitto.log"
    wait_until(lambda: f"are being dropped for client CN={SHOP},O=node" in log.read_text(), "it dropped some")
    goes_on.set()

    link.connect_anew()
    with Line("127.0.0.1", fleet.record.broker.port, fleet.layout.central, "00000001") as line:
        topic, payload = str(IncidentTopic("hart")), msgspec.json.encode(incident(1))
        key = SigningKey(bytes.fromhex((fleet.layout.central / "signing.key").read_text().strip()))
        said = publication(topic, payload, sign_message(key, topic, payload), 1)

        def is_said_and_has_come() -> bool:
            # Again and again: said before the new connection is there, it is dropped with the rest.
            line.send(said)
            return came.wait(0.2)

        wait_until(is_said_and_has_come, "the state")
    link.stop()
