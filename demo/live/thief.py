"""Somebody with a stolen unit's card: an open session, a TLS ticket, and the certificate itself."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion

from demo.fitting import TownError
from demo.live.site import Site
from demo.ports import LOOPBACK
from provisioning.certificates import IssuedCertificate
from runtime.broker_probe import BrokerProbe, Verdict

NOT_AUTHORISED: Final = 0x87
_WITHIN_S: Final = 30.0
_CONNECT: Final = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x03any"
"""MQTT 5, clean start, keep alive 30 s, client id "any"."""
_CONNACK: Final = 0x20


class Shown(Struct, frozen=True):
    """How the broker took somebody who came with a ticket: whether it counted, and whether they were let in."""

    is_resumed: bool
    is_in: bool


def show(folder: Path, site: Site, topic: str) -> Verdict:
    """How the broker takes whoever comes anew with the certificate in that folder, and publishes to the topic."""
    own = IssuedCertificate(
        (folder / "client.pem").read_bytes(), (folder / "client.key").read_bytes(), 0, datetime.now(UTC)
    )
    fleet = site.fleet
    return BrokerProbe(LOOPBACK, fleet.record.broker.port, fleet.layout.trusted).observe(own, topic).verdict


class Thief:
    """Connected as the unit whose files these are.

    Attributes:
        heard: topics of what the broker has sent.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.heard: list[str] = []
        self._port = port
        self._context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self._context.load_cert_chain(folder / "client.pem", folder / "client.key")
        self._answers: dict[int, int] = {}
        self._changed = threading.Condition()
        self._is_in = threading.Event()
        # First of all: a second connection under this name ends the one before.
        self._ticket = self._knock(None)[1]
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.tls_set_context(self._context)
        self._client.on_connect = lambda *_: self._is_in.set()
        self._client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self._client.on_publish = self._note

    def open_session(self, topic: str) -> None:
        """Connect, and listen to that topic.

        Raises:
            TownError: the broker did not let them in, although nobody has revoked anything yet.
        """
        self._client.connect(LOOPBACK, self._port, clean_start=True)
        self._client.loop_start()
        if not self._is_in.wait(_WITHIN_S):
            raise TownError("the stolen unit's certificate was refused before it was revoked")
        self._client.subscribe(topic, qos=1)

    def say(self, topic: str) -> int:
        """Publish there on the open session; the broker's answer (MQTT 5), or -1 if it did not answer."""
        mid = self._client.publish(topic, b"from a thief", qos=1).mid
        with self._changed:
            self._changed.wait_for(lambda: mid in self._answers, _WITHIN_S)
            return self._answers.get(mid, -1)

    @property
    def is_connected(self) -> bool:
        """Whether the session is still open."""
        return bool(self._client.is_connected())

    def resume(self) -> Shown:
        """Come with the ticket, which shows no certificate. Ends the open session, if that is let in."""
        return self._knock(self._ticket)[0]

    def close(self) -> None:
        """Go."""
        self._client.disconnect()
        self._client.loop_stop()

    def _knock(self, ticket: ssl.SSLSession | None) -> tuple[Shown, ssl.SSLSession | None]:
        with (
            socket.create_connection((LOOPBACK, self._port), timeout=_WITHIN_S) as plain,
            self._context.wrap_socket(plain, server_hostname=LOOPBACK, session=ticket) as link,
        ):
            is_resumed = bool(link.session_reused)
            try:
                link.sendall(_CONNECT)
                is_in = link.recv(4)[:1] == bytes([_CONNACK])
            except OSError:
                return Shown(is_resumed, is_in=False), None
            return Shown(is_resumed, is_in), link.session

    def _note(self, _client: Any, _data: Any, mid: int, code: Any, _properties: Any) -> None:  # noqa: ANN401 - paho's
        with self._changed:
            self._answers[mid] = int(code.value)
            self._changed.notify_all()
