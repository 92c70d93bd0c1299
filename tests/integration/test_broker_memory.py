"""The broker's memory under one member's flood: bounded in bytes, whatever waits for whom."""

from __future__ import annotations

import select
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes

from provisioning.fleet import Fleet, NewNode
from runtime.mqtt_link import LinkHandlers, LinkSettings, PahoLink
from tests.support.fleet_broker import free_port, listening, properties_of, running_broker, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.finding(15)]

SHOP, BAKERY = "00000010", "00000011"
OWN_FRAMES = f"watchlink/1/scheme/hart/frame/{SHOP}"
GROWTH_MIB_MAX = 64
LIMIT_MIB = 256
AWAY = 60
PRESSES = 12_000
"""Small ones; each is listed for each member that is away."""
LISTED_MIB_MAX = 48
"""They made 77 MiB while 30,000 might wait."""
MIB = 1024 * 1024
WITHIN_S = 60


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port())
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"]), NewNode("Bakery", "High St", ["hart"])])
    return fleet


@pytest.fixture
def broker(fleet: Fleet) -> Iterator[subprocess.Popen[bytes]]:
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port) as broker:
        yield broker


def memory_mib(broker: subprocess.Popen[bytes]) -> int:
    lines = Path(f"/proc/{broker.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


def member(fleet: Fleet, node: str) -> mqtt.Client:
    """Connected, with a session that stays, and listening to its neighbours; its network is the caller's to drive."""
    folder = fleet.node_folder(node)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=node, protocol=mqtt.MQTTv5)
    client.tls_set(str(folder / "ca.pem"), str(folder / "client.pem"), str(folder / "client.key"))
    stays = properties_of(PacketTypes.CONNECT)
    stays.SessionExpiryInterval = 3_600
    granted: list[int] = []

    def ask(*_: object) -> None:
        client.subscribe("watchlink/1/scheme/hart/frame/+", qos=1)

    client.on_connect = ask
    client.on_subscribe = lambda _c, _d, mid, _codes, _p: granted.append(mid)
    client.connect("127.0.0.1", fleet.record.broker.port, clean_start=False, properties=stays)
    wait_until(lambda: client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS and bool(granted), "subscribed")
    return client


def flood(flooder: mqtt.Client, payload: bytes, count: int) -> list[mqtt.MQTTMessageInfo]:
    """So many, twenty of them under way at a time; fewer if the broker lets go of it for what it sent."""
    sent = []
    for number in range(count):
        sent.append(flooder.publish(OWN_FRAMES, payload, qos=1))
        while number >= 20 and not sent[number - 20].is_published() and flooder.loop(0.1) == mqtt.MQTT_ERR_SUCCESS:
            pass
        if flooder.socket() is None:
            break
    return sent


@pytest.mark.parametrize("payload_bytes", [4 * MIB, 60_000], ids=["huge", "many"])
def test_what_waits_for_a_member_that_is_away_is_bounded(
    fleet: Fleet, broker: subprocess.Popen[bytes], payload_bytes: int
) -> None:
    member(fleet, BAKERY).disconnect()
    before = memory_mib(broker)
    flooder = member(fleet, SHOP)
    flood(flooder, b"j" * payload_bytes, 120 * MIB // payload_bytes)
    growth = memory_mib(broker) - before
    flooder.disconnect()

    assert growth < GROWTH_MIB_MAX
    with listening(fleet.record.broker.port, fleet.node_folder(BAKERY), BAKERY) as bakery:
        bakery.subscribe("watchlink/1/scheme/hart/frame/+")
        bakery.publish(f"watchlink/1/scheme/hart/frame/{BAKERY}", b"press")
        bakery.wait_for(b"press")


def away(fleet: Fleet, node: str) -> None:
    """It has been connected, as a unit is, and has gone."""
    folder, is_up = fleet.node_folder(node), threading.Event()
    link = PahoLink(
        LinkSettings(
            host="127.0.0.1",
            port=fleet.record.broker.port,
            ca_file=str(folder / "ca.pem"),
            certificate_file=str(folder / "client.pem"),
            key_file=str(folder / "client.key"),
        ),
        node,
        LinkHandlers(is_up.set, lambda _detail, _is_permanent: None, lambda *_: None, lambda _token: None),
        subscriptions=["watchlink/1/scheme/hart/frame/+"],
    )
    link.start()
    assert is_up.wait(WITHIN_S)
    link.stop()


@pytest.mark.finding(14)
def test_what_is_listed_for_many_who_are_away_is_bounded(fleet: Fleet) -> None:
    """Of 110 the broker came to its limit within seconds, and let go of central and of others who pressed (N8)."""
    gone = fleet.add_all([NewNode(f"Shop {number}", "High St", ["hart"]) for number in range(AWAY)])
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port) as broker:
        for node in gone:
            away(fleet, node.node)
        flooder = member(fleet, SHOP)
        before = memory_mib(broker)
        sent = flood(flooder, b"j" * 89, PRESSES)
        growth = memory_mib(broker) - before
        flooder.disconnect()

    assert PRESSES == len(sent)
    assert sent[-21].is_published()
    assert growth < LISTED_MIB_MAX


def test_what_waits_for_a_member_that_does_not_read_is_bounded(fleet: Fleet, broker: subprocess.Popen[bytes]) -> None:
    """It listens to itself, sends and never reads: beyond the limit it is let go, and there is room for the rest."""
    deaf = member(fleet, SHOP)
    before = memory_mib(broker)
    for _ in range(700 * MIB // 60_000):
        deaf.publish(OWN_FRAMES, b"j" * 60_000, qos=0)
        while deaf.want_write() and (line := deaf.socket()) is not None:
            if not select.select([], [line], [], 5)[1]:
                break
            deaf.loop_write()
        if deaf.socket() is None:
            break

    assert memory_mib(broker) - before < LIMIT_MIB + GROWTH_MIB_MAX
    with listening(fleet.record.broker.port, fleet.node_folder(BAKERY), BAKERY) as bakery:
        bakery.subscribe("watchlink/1/scheme/hart/frame/+")
        bakery.publish(f"watchlink/1/scheme/hart/frame/{BAKERY}", b"press")
        bakery.wait_for(b"press")
