"""A real Mosquitto from a fleet folder, and a client of it that says what it was told. Loopback, free port, own pid."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from demo.broker_log import REREADS
from demo.ports import claim_ports
from provisioning.fleet import Fleet
from runtime.broker_probe import BrokerProbe

DEADLINE_S = 120.0
"""For a machine that is busy with other things: it costs time only where a test fails."""


def free_port() -> int:
    """On loopback, and nobody else's while these tests run."""
    return claim_ports(1)[0]


def wait_until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    give_up_at = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not in time: {what}")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    """It answers, and not its kernel alone: Mosquitto listens a moment before it minds a SIGHUP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as plain, context.wrap_socket(plain):
            return True
    except ssl.SSLError:
        return True  # It wants a certificate of ours.
    except OSError:
        return False


@contextlib.contextmanager
def running_broker(configuration: Path, port: int, user: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Mosquitto with that configuration, listening; ended by its own pid."""
    log = configuration.with_name("mosquitto.log")
    with log.open("ab") as err:
        broker = subprocess.Popen(["mosquitto", "-c", str(configuration)], stderr=err, user=user)
        try:
            wait_until(
                lambda: _listens(port) or broker.poll() is not None, f"mosquitto listens: {log.read_text()[-500:]}"
            )
            if broker.poll() is not None:
                raise RuntimeError(f"Mosquitto has ended: {log.read_text()}")
            yield broker
        finally:
            broker.terminate()
            broker.wait(DEADLINE_S)


def probe_of(fleet: Fleet) -> BrokerProbe:
    """A look at its broker, which may take its time to answer."""
    return BrokerProbe("127.0.0.1", fleet.record.broker.port, fleet.layout.trusted, DEADLINE_S)


def seen_to_reload(log: Path, reload: Callable[[], None]) -> Callable[[], None]:
    """That reload, and whoever connects next meets the new files.

    A signal alone is obeyed as soon as the broker has its turn.

    Args:
        log: of a broker with :data:`demo.broker_log.TELLS_OF_RELOADS`.
        reload: sends the signal.
    """

    def reloads() -> int:
        return log.read_text().count(REREADS)

    def reload_and_see() -> None:
        before = reloads()
        reload()
        wait_until(lambda: reloads() > before, "the broker reloads")

    return reload_and_see


def properties_of(packet_type: int) -> Properties:
    """Of a packet of that type, none set yet."""
    return Properties(packet_type)  # type: ignore[no-untyped-call]  # paho declares no types for it


class Listener:
    """An MQTT 5 client with one certificate. Every call waits for the broker's answer."""

    def __init__(self, port: int, identity: Path, client_id: str = "") -> None:
        self.received: list[tuple[str, bytes]] = []
        self.on_arrival: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self.disconnected = threading.Event()
        self._answers: dict[tuple[str, int], ReasonCode] = {}
        self._changed = threading.Condition()
        self._refusal: ReasonCode | None = None
        self._connected = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        self.client.tls_set(str(identity / "ca.pem"), str(identity / "client.pem"), str(identity / "client.key"))
        self.client.on_connect = lambda _c, _d, _flags, code, _p: self._note_connect(code)
        self.client.on_disconnect = lambda *_: self.disconnected.set()
        self.client.on_message = lambda _client, _data, message: self._note_message(message)
        self.client.on_subscribe = lambda _c, _d, mid, codes, _p: self._note("sub", mid, codes[0])
        self.client.on_publish = lambda _c, _d, mid, code, _p: self._note("pub", mid, code)
        session = properties_of(PacketTypes.CONNECT)
        self.client.connect("127.0.0.1", port, properties=session, clean_start=True)
        self.client.loop_start()
        assert self._connected.wait(DEADLINE_S), "no CONNACK"
        assert self._refusal is None, str(self._refusal)

    def subscribe(self, topic: str) -> ReasonCode:
        """At QoS 1; the SUBACK's code. Mosquitto grants what the ACL will then filter."""
        mid = self.client.subscribe(topic, qos=1)[1]
        assert mid is not None
        return self._answer("sub", mid)

    def publish(self, topic: str, payload: bytes = b"x", signature: str | None = None) -> ReasonCode:
        """At QoS 1; the PUBACK's code."""
        return self._answer("pub", self._send(topic, payload, signature))

    def send(self, topic: str, payload: bytes, signature: str | None = None) -> None:
        """The same without waiting, as a handler of messages must."""
        self._send(topic, payload, signature)

    def _send(self, topic: str, payload: bytes, signature: str | None) -> int:
        properties = properties_of(PacketTypes.PUBLISH)
        if signature is not None:
            properties.UserProperty = ("signature", signature)
        return self.client.publish(topic, payload, qos=1, properties=properties).mid

    def wait_for(self, payload: bytes) -> None:
        """Until that payload has come, on whatever topic."""
        with self._changed:
            if not self._changed.wait_for(lambda: payload in [p for _, p in self.received], DEADLINE_S):
                raise TimeoutError(f"no {payload!r} among {self.received}")

    def close(self) -> None:
        """Disconnect and end the network thread."""
        self.client.disconnect()
        self.client.loop_stop()

    def _note_connect(self, code: ReasonCode) -> None:
        self._refusal = code if code.is_failure else None
        self._connected.set()

    def _note_message(self, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        with self._changed:
            self.received.append((message.topic, payload))
            self._changed.notify_all()
        self.on_arrival(message.topic, payload)

    def _note(self, what: str, mid: int, code: ReasonCode) -> None:
        with self._changed:
            self._answers[what, mid] = code
            self._changed.notify_all()

    def _answer(self, what: str, mid: int) -> ReasonCode:
        with self._changed:
            if not self._changed.wait_for(lambda: (what, mid) in self._answers, DEADLINE_S):
                raise TimeoutError(f"no answer to {what}")
            return self._answers[what, mid]


@contextlib.contextmanager
def listening(port: int, identity: Path, client_id: str = "") -> Iterator[Listener]:
    """A connected :class:`Listener`, closed at the end."""
    listener = Listener(port, identity, client_id)
    try:
        yield listener
    finally:
        listener.close()
