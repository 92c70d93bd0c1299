"""The network path: MQTT messages become events, effects become messages. No rules here.

Arriving messages are checked here as far as possible without the core's state: topic, size, form, the directory's
signature, central's on its messages. Frames are passed on as bytes; the core admits or refuses them. Malformed input is
counted by reason and dropped. Everything but the constructor runs on two threads: the loop's (``publish_…``,
``use_directory``) and paho's (arrivals), which only offers events to the queue.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from msgspec import Struct

from node.core.events import (
    AirAsked,
    CentralStatusReceived,
    DirectoryReceived,
    Event,
    FramePublished,
    FrameReceived,
    IncidentReceived,
    InputRejected,
    LinkDown,
    LinkUp,
    Offer,
    SessionTaken,
    SettingsReceived,
    SyncAnswered,
)
from runtime.mqtt_link import LinkHandlers, LinkSettings, PahoLink, Will
from wire.admission import is_signed_by
from wire.directory import Directory, open_directory
from wire.directory_parts import DirectoryParts
from wire.errors import DecodeError
from wire.frames import SignedFrame
from wire.ids import CENTRAL, FrameId, NodeId, node_text
from wire.kinds import Path
from wire.limits import FRAME_BYTES_MAX
from wire.messages import CentralStatus, Health, IncidentState, Sync, SyncAnswer, decode_message, encode_message
from wire.node_settings import open_settings
from wire.signing import PublicKey, SigningKey, sign_message
from wire.sync_parts import SyncAnswerParts
from wire.text import display_text
from wire.topics import (
    CentralTopic,
    Down,
    DownTopic,
    FrameTopic,
    IncidentTopic,
    Up,
    UpTopic,
    all_down,
    parse_topic,
    scheme_frames,
)

logger = logging.getLogger(__name__)

# How many may wait for the loop before an arriving one is dropped, the least important first: states are sent again
# (status, incidents) or requested again (sync, directory), neighbours repeat their frames until central's receipt,
# and our own presser waits for receipts and acknowledgements.
STATES_WAITING_MAX: Final = 500
FRAMES_WAITING_MAX: Final = 2_000
ANSWERS_WAITING_MAX: Final = 4_000
LINK_CHANGES_WAITING_MAX: Final = 100_000
DIRECTORY_COUNTS_TIMES: Final = 4
"""One of 5,000 senders has 0.84 MiB and takes 4.3 as it waits, decoded: a second one must not wait behind it."""
_DETAIL_CHARS_MAX: Final = 200


class _Arrived(Struct, frozen=True):
    """A message from the broker, as received."""

    topic: str
    payload: bytes
    signature: str | None


class PahoUplink:
    """One node's connection to its broker.

    Attributes:
        dropped: arriving messages that found the queue full, since start.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        node: NodeId,
        scheme_numbers: tuple[int, ...],
        key: SigningKey,
        authority: PublicKey,
        directory: Directory,
        lost: Health,
        offer: Offer,
    ) -> None:
        """Not connected before :meth:`start`.

        Args:
            settings: with resolved paths.
            node: ours, also the client id.
            scheme_numbers: ours.
            key: ours; signs our messages to central, the last will in advance.
            authority: must have signed a directory, and settings.
            directory: names our schemes' topics and central's key.
            lost: the last will.
            offer: the loop's queue.

        Raises:
            ConfigError: a TLS file is missing or unusable.
        """
        self.dropped = 0
        self._node = node
        self._scheme_numbers = scheme_numbers
        self._key = key
        self._authority = authority
        self._directory = directory
        self._offer = offer
        self._slugs = self._named(directory)
        self._directory_parts = DirectoryParts()
        self._sync_parts = SyncAnswerParts()
        self._lock = threading.Lock()
        # Our frames held by paho, by id: the schemes whose PUBACK is awaited. paho repeats them by itself.
        self._awaited: dict[FrameId, set[str]] = {}
        self._health_topic = str(UpTopic(node, Up.HEALTH))
        will = encode_message(lost)
        self._link = PahoLink(
            settings,
            node_text(node),
            LinkHandlers(
                on_up=self._on_up,
                on_down=self._on_down,
                on_message=self._on_message,
                on_published=self._on_published,
                on_refused=self._on_refused,
                on_taken_over=self._on_taken_over,
            ),
            subscriptions=self._subscriptions(),
            will=Will(self._health_topic, will, sign_message(key, self._health_topic, will)),
            is_echo_wanted=False,
        )

    @property
    def is_up(self) -> bool:
        """Connected and subscribed, as far as we know."""
        return self._link.is_up

    def start(self) -> None:
        """Connect, and stay connected. ``LinkUp`` and ``LinkDown`` report progress."""
        self._link.start()

    def stop(self) -> None:
        """Disconnect in order, after earlier publishes and without a last will; within a second."""
        self._link.stop()

    def use_directory(self, directory: Directory) -> None:
        """Take central's key and the subscriptions from a newer directory: a scheme's slug may be new to us."""
        self._directory = directory
        slugs = self._named(directory)
        if slugs != self._slugs:
            self._slugs = slugs
            self._link.subscribe_to(self._subscriptions())

    def publish_frame(self, signed: SignedFrame, scheme_numbers: tuple[int, ...]) -> None:
        """Publish our frame, QoS 1, once for each scheme. ``FramePublished`` when the broker has all of them.

        A frame that paho still holds is not published again. One that cannot be published is dropped and counted: it
        is on disk, and the core orders it again.
        """
        frame_id = signed.frame.id
        slugs = [self._slugs[number] for number in scheme_numbers if number in self._slugs]
        if len(slugs) < len(scheme_numbers):
            self._reject("unknown scheme")
        with self._lock:
            if frame_id in self._awaited or not slugs:
                return
            self._awaited[frame_id] = set(slugs)
        for slug in slugs:
            topic = str(FrameTopic(slug, self._node))
            if not self._link.publish(topic, signed.data, qos=1, token=(frame_id, slug)):
                self._on_refused((frame_id, slug), "not handed over")

    def publish_relay(self, data: bytes) -> None:
        """Publish another sender's frame, heard on the radio, QoS 1. A lost one is heard again."""
        if not self._publish_signed(str(UpTopic(self._node, Up.HEARD)), data, qos=1):
            self._reject("relay refused")

    def publish_health(self, health: Health) -> None:
        """Publish our health, QoS 0; the next replaces a lost one."""
        self._publish_signed(self._health_topic, encode_message(health), qos=0)

    def publish_sync(self, sync: Sync) -> None:
        """Publish a sync, QoS 0; repeated at the next connect."""
        self._publish_signed(str(UpTopic(self._node, Up.SYNC)), encode_message(sync), qos=0)

    def connect_anew(self) -> None:
        """End the connection; it is made anew at once, and the broker sends again what it still had for us."""
        logger.warning("the broker brings nothing of central's but statuses: connecting anew")
        self._link.connect_anew()

    def _publish_signed(self, topic: str, payload: bytes, qos: int) -> bool:
        return self._link.publish(topic, payload, qos=qos, signature=sign_message(self._key, topic, payload))

    def _named(self, directory: Directory) -> dict[int, str]:
        return {
            number: directory.schemes[number].slug for number in self._scheme_numbers if number in directory.schemes
        }

    def _subscriptions(self) -> list[str]:
        filters = [all_down(self._node)]
        for slug in self._slugs.values():
            filters += [scheme_frames(slug), str(IncidentTopic(slug)), str(CentralTopic(slug))]
        return filters

    # Everything below runs on paho's thread.

    def _on_up(self) -> None:
        self._offer(LinkUp(), LINK_CHANGES_WAITING_MAX, 0)

    def _on_down(self, detail: str, is_permanent: bool) -> None:  # noqa: FBT001 - the link's signature
        logger.warning("no link: %s", detail)
        self._offer(LinkDown(display_text(detail, _DETAIL_CHARS_MAX), is_permanent), LINK_CHANGES_WAITING_MAX, 0)

    def _on_taken_over(self) -> None:
        self._offer(SessionTaken(), LINK_CHANGES_WAITING_MAX, 0)

    def _on_published(self, token: tuple[FrameId, str] | None) -> None:
        if token is None:
            return  # Another sender's frame that we passed on: not reported here.
        frame_id, slug = token
        with self._lock:
            awaited = self._awaited.get(frame_id)
            if awaited is None:
                return
            awaited.discard(slug)
            if awaited:
                return
            del self._awaited[frame_id]
        self._offer(FramePublished(frame_id), ANSWERS_WAITING_MAX, 0)

    def _on_refused(self, token: tuple[FrameId, str], reason: str) -> None:
        frame_id, slug = token
        logger.error("frame not taken", extra={"frame": frame_id.text, "scheme": slug, "reason": reason})
        with self._lock:
            self._awaited.pop(frame_id, None)
        self._reject("publish refused")

    def _on_message(self, topic_text: str, payload: bytes, signature: str | None) -> None:
        try:
            read = self._read(_Arrived(topic_text, payload, signature))
        except DecodeError as e:
            self._reject(e.reason)
            return
        if read is not None and not self._offer(*read):
            self.dropped += 1
            self._reject("flood")

    def _read(self, arrived: _Arrived) -> tuple[Event, int, int] | None:
        payload, topic = arrived.payload, parse_topic(arrived.topic)
        match topic:
            case FrameTopic():
                return FrameReceived(_frame_bytes(payload), topic, Path.NETWORK), FRAMES_WAITING_MAX, 0
            case IncidentTopic():
                state = decode_message(payload, IncidentState)
                return IncidentReceived(state, self._is_centrals(arrived)), STATES_WAITING_MAX, len(payload)
            case CentralTopic():
                status = decode_message(payload, CentralStatus)
                return CentralStatusReceived(status, self._is_centrals(arrived)), STATES_WAITING_MAX, len(payload)
            case DownTopic(node=self._node, channel=channel):
                return self._read_down(channel, arrived)
        raise DecodeError("topic not ours")

    def _read_down(self, channel: Down, arrived: _Arrived) -> tuple[Event, int, int] | None:
        payload = arrived.payload
        match channel:
            case Down.RECEIPT | Down.ACK:
                return FrameReceived(_frame_bytes(payload), None, Path.NETWORK), ANSWERS_WAITING_MAX, 0
            case Down.SYNC:
                part = decode_message(payload, SyncAnswer)
                whole = self._sync_parts.take(part, is_signed=self._is_centrals(arrived))
                return None if whole is None else (SyncAnswered(*whole), STATES_WAITING_MAX, part.parts * len(payload))
            case Down.AIR:
                return AirAsked(_frame_bytes(payload)), FRAMES_WAITING_MAX, 0
            case Down.SETTINGS:
                signed = open_settings(payload, self._authority)
                return SettingsReceived(signed), STATES_WAITING_MAX, len(payload)
            case Down.DIRECTORY:
                sealed = self._directory_parts.take(payload)
                if sealed is None:
                    return None
                return (
                    DirectoryReceived(open_directory(sealed, self._authority), sealed),
                    STATES_WAITING_MAX,
                    DIRECTORY_COUNTS_TIMES * len(sealed),
                )

    def _is_centrals(self, arrived: _Arrived) -> bool:
        return is_signed_by(CENTRAL, self._directory, arrived.topic, arrived.payload, arrived.signature)

    def _reject(self, reason: str) -> None:
        # Counted while the loop keeps up; in a flood the number is a minimum.
        self._offer(InputRejected(reason), STATES_WAITING_MAX, 0)


def _frame_bytes(payload: bytes) -> bytes:
    if len(payload) > FRAME_BYTES_MAX:
        # Dropped here: the core would only say the same later.
        raise DecodeError("too long", FRAME_BYTES_MAX)
    return payload
