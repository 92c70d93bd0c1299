"""One MQTT 5 connection over mutual TLS, kept open for ever; it knows nothing of what it carries.

paho runs it on its own thread. The handlers are called on that thread, must only enqueue, and must not block; an
exception in one is logged and goes no further. A PUBACK is not delivery: it only means that the broker has a message.
"""

from __future__ import annotations

import copy
import logging
import ssl
import sys
import threading
import zlib
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from runtime.config import ConfigError
from runtime.key_pair import KeyPair
from runtime.mqtt_socket import Client
from runtime.outgoing import Handed, Outgoing
from runtime.own_certificate import OwnCertificate
from runtime.tls import LinkFault, describe_fault

logger = logging.getLogger(__name__)

SESSION_EXPIRY_S: Final = 0xFFFF_FFFF
"""Never (MQTT 5, section 3.1.2.11.2). Nothing depends on what a broker holds for us: state is asked for. But at each
SIGHUP Mosquitto 2.0.21 lists a session that can expire, and whose client is away, once more, and later reads freed
memory (ADR 0019)."""
RECONNECT_FIRST_S: Final = 1
RECONNECT_MAX_S: Final = 4
"""Between attempts; up to twice this, by the program's id, so that a town does not reconnect all at once. Short,
because an alert may be waiting and a failed attempt costs next to nothing."""
CONNECT_TIMEOUT_S: Final = 5.0
STOP_TIMEOUT_S: Final = 1.0
PACKET_BYTES_MAX: Final = 65_536
"""Larger packets go neither way: the broker would end the connection, and paho would send them again."""
_PACKET_OVERHEAD_BYTES: Final = 512
"""Beside topic and payload: header, packet id, properties."""

SIGNATURE: Final = "signature"
"""The user property with a message's signature: brokers pass it on, and store it with the message."""

_PUBLISH: Final = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
_WILL: Final = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
_SESSION_TAKEN_OVER: Final = 0x8E
"""MQTT 5, section 3.14.2.1. Only a live connection receives it: our own reconnect never causes it."""
_REFUSED_FOR_GOOD: Final = frozenset(
    {
        "Bad user name or password",
        "Not authorized",
        "Banned",
        "Client identifier not valid",
        "Unsupported protocol version",
        "Bad authentication method",
    }
)


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The table ``[mqtt]`` of node.toml and central.toml."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8883
    ca_file: str
    """PEM; the only CA that may have signed the broker's certificate."""
    certificate_file: str
    """PEM, with its issuer's after it; the subject is the client's id at our broker."""
    key_file: str
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=1200)] = 15
    """A dead link is noticed within twice this."""

    def resolved(self, folder: Path) -> LinkSettings:
        """A copy with paths resolved against ``folder``, the configuration file's own."""
        return msgspec.structs.replace(
            self,
            ca_file=str(folder / self.ca_file),
            certificate_file=str(folder / self.certificate_file),
            key_file=str(folder / self.key_file),
        )


class LinkHandlers(Struct, frozen=True):
    """The link's callbacks. All are called on paho's thread and must only enqueue.

    Attributes:
        on_up: connected, and every subscription granted.
        on_down: (detail, is_permanent), at each change of either; also when the first connection fails.
        on_message: (topic, payload, signature): the user property ``signature``; ``None`` = none, ``""`` = several,
            which no sender of ours does.
        on_published: (token) the broker's PUBACK of a QoS 1 message.
        on_refused: (token, reason) the broker refuses that QoS 1 message (its ACL, its quota).
        on_taken_over: another program connected with our certificate and took over our session.
    """

    on_up: Callable[[], None]
    on_down: Callable[[str, bool], None]
    on_message: Callable[[str, bytes, str | None], None]
    on_published: Callable[[Any], None]
    on_refused: Callable[[Any, str], None] = lambda _token, _reason: None
    on_taken_over: Callable[[], None] = lambda: None


class Will(Struct, frozen=True):
    """The last will: published by the broker, QoS 1, when we vanish without a goodbye."""

    topic: str
    payload: bytes
    signature: str | None = None


class PahoLink:
    """The connection. ``publish`` may be called from any thread at any time; the rest from one thread."""

    def __init__(
        self,
        settings: LinkSettings,
        client_id: str,
        handlers: LinkHandlers,
        *,
        subscriptions: Iterable[str] = (),
        will: Will | None = None,
        max_inflight: int = 20,
        max_queued: int = 20_000,
        is_echo_wanted: bool = True,
    ) -> None:
        """Nothing is connected before :meth:`start`.

        Args:
            settings: with resolved paths.
            client_id: for brokers that ask; ours takes the certificate's subject in any case.
            handlers: the callbacks.
            subscriptions: topic filters, QoS 1, subscribed at each connect.
            will: the last will.
            max_inflight: QoS 1 messages without PUBACK at a time. Mosquitto's receive maximum is 20, and paho
                ignores the maximum that a broker announces.
            is_echo_wanted: whether our own messages come back where they match a subscription.
            max_queued: QoS 1 messages held while the broker is away; beyond them ``publish`` returns False. It does
                so too when all that is held takes :data:`runtime.outgoing.BYTES_MAX`.

        Raises:
            ConfigError: a TLS file is missing or unusable, or the host is not a host name.
        """
        try:
            settings.host.encode("idna")
        except UnicodeError as e:
            raise ConfigError(f"mqtt.host: {settings.host!r} is not a host name") from e
        self._settings = settings
        self._handlers = handlers
        self._wanted = tuple(dict.fromkeys(subscriptions))
        # A session keeps subscriptions for days, even an earlier run's: unwanted ones are withdrawn at each connect.
        self._given_up: tuple[str, ...] = ()
        self._options = SubscribeOptions(qos=1, noLocal=not is_echo_wanted)
        self._outgoing = Outgoing()
        self._pending_subscriptions: dict[int, tuple[str, ...]] = {}
        self._told: LinkFault | None = None
        self._is_up = False
        self._is_started = False
        self._is_stopping = False
        self._error: OSError | None = None
        self._thread: threading.Thread | None = None
        self._client = self._build(client_id, will, max_inflight, max_queued)

    def _build(self, client_id: str, will: Will | None, max_inflight: int, max_queued: int) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        files = self._settings
        own = OwnCertificate(
            Path(files.ca_file), KeyPair(Path(files.certificate_file), Path(files.key_file)), self._remember
        )
        client.tls_set_context(own.context())
        client.renewed_context = own.renewed
        client.connect_timeout = CONNECT_TIMEOUT_S
        spread_s = zlib.crc32(client_id.encode()) % (RECONNECT_MAX_S + 1)
        client.reconnect_delay_set(RECONNECT_FIRST_S, RECONNECT_MAX_S + spread_s)
        client.max_inflight_messages_set(max_inflight)
        client.max_queued_messages_set(max_queued)
        # A second guard: an exception that escapes would end paho's thread, and with it the link.
        client.suppress_exceptions = True
        if will:
            client.will_set(will.topic, will.payload, qos=1, properties=_signed(_WILL, will.signature))
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    @property
    def is_up(self) -> bool:
        """Connected and subscribed, as far as we know; no proof that the other end is there."""
        return self._is_up

    @property
    def broker_ends_at(self) -> datetime | None:
        """When the broker's certificate ends; ``None`` = there is no connection now."""
        sock = self._client.socket()
        try:
            shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
        except (OSError, ValueError):  # It has just ended.
            return None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC) if shown else None

    def start(self) -> None:
        """Begin to connect, and keep at it until :meth:`stop`. Returns at once."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.MaximumPacketSize = PACKET_BYTES_MAX
        self._client.connect_async(
            self._settings.host,
            self._settings.port,
            keepalive=self._settings.keepalive_s,
            clean_start=False,
            properties=properties,
        )
        # Before the thread starts: it may connect and call handlers before loop_start returns.
        self._is_started = True
        self._run_thread()

    def publish(
        self, topic: str, payload: bytes, qos: int = 0, token: Hashable = None, signature: str | None = None
    ) -> bool:
        """Hand a message to the link; never raises, never blocks on the network.

        QoS 0 is dropped while there is no connection. QoS 1 waits in memory: it survives reconnects, but not the
        end of the program. Keep what must not be lost elsewhere.

        Args:
            topic: where to; no wildcards.
            payload: the bytes.
            qos: 0 or 1.
            token: comes back in ``on_published`` (QoS 1 only).
            signature: travels beside the payload as the user property ``signature``.

        Returns:
            Whether it was accepted. False: not connected (QoS 0), no room for it, stopped, or not publishable.
        """
        if self._is_stopping or not self._is_started:
            return False
        if len(topic) + len(payload) + _PACKET_OVERHEAD_BYTES > PACKET_BYTES_MAX:
            logger.error("not published: %d bytes are more than a packet holds", len(payload), extra={"topic": topic})
            return False
        handed = self._outgoing.reserve(qos, token, len(topic) + len(payload))
        if handed is None:
            return False
        try:
            self.revive()
            info = self._client.publish(topic, payload, qos=qos, properties=_signed(_PUBLISH, signature))
        except Exception:
            logger.exception("not published", extra={"topic": topic})
            self._outgoing.give_back(handed)
            return False
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE or (qos == 0 and info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS):
            self._outgoing.give_back(handed)
            return False
        reason = self._outgoing.note(info.mid, handed)
        if reason is not None:
            self._answered(handed, reason)
        return True

    def subscribe_to(self, filters: Iterable[str]) -> None:
        """Replace the subscriptions, at once or at the next connect. Never raises."""
        before, self._wanted = self._wanted, tuple(dict.fromkeys(filters))
        self._given_up = tuple(name for name in {*self._given_up, *before} if name not in self._wanted)
        if not self._client.is_connected():
            return
        try:
            gone = [name for name in before if name not in self._wanted]
            new = [name for name in self._wanted if name not in before]
            if gone:
                self._client.unsubscribe(gone)
            if new:
                self._subscribe(tuple(new))
        except Exception:
            logger.exception("subscriptions not changed")

    def break_off(self) -> None:
        """End the connection under way, if there is one; it is made anew at once. Never raises."""
        self._client.break_off()

    def connect_anew(self) -> None:
        """Say goodbye, so that no will is published, and connect again at once. Never raises."""
        self._client.say_goodbye()

    def stop(self) -> None:
        """Say goodbye (so that no will is published) and end within a second, connected or not."""
        if self._thread is None or self._is_stopping:
            return
        self._is_stopping = True
        try:
            self._client.disconnect()
        except Exception:
            logger.exception("no clean goodbye to the broker")
        # Not loop_stop(): it waits for a connection attempt under way, for seconds. The thread is a daemon.
        self._thread.join(STOP_TIMEOUT_S)

    def _run_thread(self) -> None:
        before = set(threading.enumerate())
        if self._client.loop_start() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            new = set(threading.enumerate()) - before
            self._thread = next((thread for thread in new if thread.name.startswith("paho-mqtt-client")), self._thread)

    def revive(self) -> None:
        """Restart paho's thread if an unreadable packet has ended it; :meth:`publish` calls this too."""
        if self._thread and not self._thread.is_alive():
            logger.error("the connection's thread had ended; starting it again")
            self._down(LinkFault("the connection broke off on a malformed packet"))
            self._outgoing.drop_lost()
            self.start()

    # Everything below runs on paho's thread.

    def _remember(self, error: OSError) -> None:
        # The first TLS error is the cause; later resets and broken pipes are its consequences.
        if not isinstance(self._error, ssl.SSLError):
            self._error = error

    def _on_connect(
        self, _client: mqtt.Client, _userdata: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        try:
            self._error = None
            if self._is_stopping:
                self._client.disconnect()
            elif reason.is_failure:
                words = str(reason)
                self._down(LinkFault(f"the broker refuses the connection: {words}", words in _REFUSED_FOR_GOOD))
            elif self._wanted:
                if self._given_up:
                    self._client.unsubscribe(list(self._given_up))
                self._pending_subscriptions.clear()
                self._subscribe(self._wanted)
            else:
                self._up()
        except Exception:
            logger.exception("after connecting")

    def _subscribe(self, filters: tuple[str, ...]) -> None:
        _, message_id = self._client.subscribe([(name, self._options) for name in filters])
        if message_id is not None:
            self._pending_subscriptions[message_id] = filters

    def _on_subscribe(
        self, _client: mqtt.Client, _userdata: object, mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        try:
            filters = self._pending_subscriptions.pop(mid, ("?",) * len(reasons))
            refused = [
                f"{name} ({reason})" for name, reason in zip(filters, reasons, strict=False) if reason.is_failure
            ]
            if refused:
                detail = f"the broker refuses the subscription to {', '.join(refused)}"
                self._down(LinkFault(detail, is_permanent=True))
            elif not self._pending_subscriptions:
                self._up()
        except Exception:
            logger.exception("after subscribing")

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: object) -> None:
        # paho calls this while it handles the exception, and passes it on nowhere else.
        error, self._error = self._error or sys.exc_info()[1], None
        self._down(describe_fault(error, self._settings.host, self._settings.port))

    def _on_disconnect(
        self, _client: mqtt.Client, _userdata: object, flags: mqtt.DisconnectFlags, reason: ReasonCode, _props: object
    ) -> None:
        try:
            error, self._error = self._error, None
            self._outgoing.drop_lost()
            if self._is_stopping:
                self._is_up = False
            elif (fault := describe_fault(error, self._settings.host, self._settings.port)).is_permanent:
                # The broker's alert about our certificate; any other TLS error here is a consequence of the end.
                self._down(fault)
            elif flags.is_disconnect_packet_from_server:
                words = str(reason)
                if reason.value == _SESSION_TAKEN_OVER:
                    words = "another program connected with our certificate"
                    self._tell("on_taken_over")
                self._down(LinkFault(f"the broker ended the connection: {words}", words in _REFUSED_FOR_GOOD))
            elif self._is_up or self._told is None:
                self._down(LinkFault("the connection to the broker was lost"))
        except Exception:
            logger.exception("after the connection ended")

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            # Surrogates or a NUL in a topic are the sender's fault; the handler deals with malformed topics.
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._tell("on_message", topic, bytes(message.payload), _signature_of(message.properties))

    def _on_publish(
        self, _client: mqtt.Client, _userdata: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        if handed := self._outgoing.settle(mid, reason):
            self._answered(handed, reason)

    def _answered(self, handed: Handed, reason: ReasonCode) -> None:
        if reason.is_failure:
            logger.error("the broker refuses a message: %s", reason)
            self._tell("on_refused", handed.token, str(reason))
        elif handed.qos:
            self._tell("on_published", handed.token)

    def _up(self) -> None:
        if not self._is_up:
            self._is_up, self._told = True, None
            self._tell("on_up")

    def _down(self, fault: LinkFault) -> None:
        if self._is_up or fault != self._told:
            self._is_up, self._told = False, fault
            self._tell("on_down", fault.detail, fault.is_permanent)

    def _tell(self, handler: str, *arguments: object) -> None:
        try:
            getattr(self._handlers, handler)(*arguments)
        except Exception:
            logger.exception("a handler of the link failed", extra={"handler": handler})


def _signed(blank: Properties, signature: str | None) -> Properties | None:
    if signature is None:
        return None
    # Each new Properties holds its own tables, 5 kB; copies share them.
    properties = copy.copy(blank)
    properties.UserProperty = (SIGNATURE, signature)
    return properties


def _signature_of(properties: Properties | None) -> str | None:
    found = [value for name, value in getattr(properties, "UserProperty", ()) if name == SIGNATURE]
    if not found:
        return None
    return str(found[0]) if len(found) == 1 else ""
