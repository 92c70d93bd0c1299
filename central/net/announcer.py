"""What central says, as bytes on topics.

Receipts go at QoS 0: the node's retransmission asks for a lost one again, and a window of twenty PUBACKs would hold up
five thousand of them. Messages that are neither asked for again nor repeated go at QoS 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from central.core import said
from central.core.effects import (
    PublishIncident,
    PublishStatus,
    SayAcknowledgement,
    SendAcknowledgement,
    SendDirectory,
    SendFrameToAir,
    SendReceipt,
    SendReceiptsToAir,
    SendRefusal,
    SendSettings,
    SendSyncAnswer,
)
from wire.directory_parts import split_directory
from wire.frames import Frame, encode
from wire.ids import FrameId, NodeId
from wire.messages import IncidentState, encode_message
from wire.signing import SigningKey, sign_message
from wire.sync_parts import split_sync_answer
from wire.topics import CentralTopic, Down, DownTopic, IncidentTopic

STATES_MAX: Final = 4_096
"""Kept as JSON for the next sync answers that carry them."""
ACKNOWLEDGEMENTS_MAX: Final = 4_096
"""Kept to be said by radio, perhaps again."""


class Publisher(Protocol):
    """Publishes a message: :meth:`runtime.mqtt_link.PahoLink.publish`."""

    def __call__(  # noqa: D102
        self, topic: str, payload: bytes, qos: int = 0, *, signature: str | None = None
    ) -> bool: ...


class Announcer:
    """Signs and publishes. Raises only what ``next_counter`` raises."""

    def __init__(
        self, publish: Publisher, key: SigningKey, next_counter: Callable[[], int], unix_time_s: Callable[[], int]
    ) -> None:
        """Nothing is published yet.

        Args:
            publish: must neither block nor raise.
            key: central's.
            next_counter: never gives the same twice, not even after a crash.
            unix_time_s: central's time.
        """
        self._publish = publish
        self._key = key
        self._next_counter = next_counter
        self._unix_time_s = unix_time_s
        self._acknowledgements: dict[FrameId, bytes] = {}
        self._states: dict[int, tuple[IncidentState, bytes]] = {}
        # One directory goes to many: it is split once.
        self._split_of = b""
        self._split: tuple[bytes, ...] = ()

    def send_receipt(self, order: SendReceipt) -> None:
        """To ``down/receipt``, QoS 0."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        self._send(order.node, Down.RECEIPT, said.receipt(order, counter, at_s), 0)

    def send_refusal(self, order: SendRefusal) -> None:
        """To ``down/receipt``, if ordered to ``down/air`` too, QoS 0."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        data = encode(said.refusal(order, counter, at_s), self._key)
        self._publish(str(DownTopic(order.node, Down.RECEIPT)), data, 0)
        if order.air is not None:
            self._publish(str(DownTopic(order.air, Down.AIR)), data, 0)

    def send_acknowledgement(self, order: SendAcknowledgement) -> None:
        """To ``down/ack``, QoS 1; if ordered to ``down/air`` too, QoS 0."""
        # If this one cannot be numbered, no older one must be said in its place.
        self._acknowledgements.pop(order.target, None)
        counter, at_s = self._next_counter(), self._unix_time_s()
        data = encode(said.acknowledgement(order, counter, at_s), self._key)
        self._publish(str(DownTopic(order.node, Down.ACK)), data, 1)
        if order.air is not None:
            self._publish(str(DownTopic(order.air, Down.AIR)), data, 0)
        self._keep(order.target, data)

    def say_acknowledgement(self, order: SayAcknowledgement) -> None:
        """To ``down/air``, QoS 0, the bytes that went to ``down/ack``, if still kept: one fact, however often heard."""
        data = self._acknowledgements.get(order.target)
        if data is not None:
            self._publish(str(DownTopic(order.node, Down.AIR)), data, 0)

    def send_receipts_to_air(self, order: SendReceiptsToAir) -> None:
        """To ``down/air``, QoS 0."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        self._send(order.node, Down.AIR, said.receipts_on_air(order, counter, at_s), 0)

    def send_frame_to_air(self, order: SendFrameToAir) -> None:
        """A member's, as it arrived, to ``down/air``, QoS 0."""
        self._publish(str(DownTopic(order.node, Down.AIR)), order.data, 0)

    def publish_incident(self, order: PublishIncident) -> None:
        """To its scheme, QoS 1."""
        # Built from checked and cut values, so it is within its bounds: reading it back, as encode_message() does,
        # would cost as much as signing for each alert of a storm.
        self._publish_signed(str(IncidentTopic(order.state.scheme)), msgspec.json.encode(order.state), 1)

    def publish_status(self, order: PublishStatus) -> None:
        """To its scheme, QoS 0."""
        self._publish_signed(str(CentralTopic(order.scheme)), encode_message(order.status), 0)

    def send_sync_answer(self, order: SendSyncAnswer) -> None:
        """To its node, QoS 1; in parts if long."""
        for payload in split_sync_answer(order.answer, self._encoded):
            self._publish_signed(str(DownTopic(order.node, Down.SYNC)), payload, 1)

    def send_directory(self, order: SendDirectory) -> None:
        """To its node, QoS 1; in parts if large."""
        if self._split_of is not order.data:
            self._split_of, self._split = order.data, split_directory(order.data)
        for payload in self._split:
            self._publish(str(DownTopic(order.node, Down.DIRECTORY)), payload, 1)

    def send_settings(self, order: SendSettings) -> None:
        """To its node, QoS 1."""
        self._publish(str(DownTopic(order.node, Down.SETTINGS)), order.data, 1)

    def _encoded(self, state: IncidentState) -> bytes:
        kept = self._states.get(id(state))
        if kept is None:
            if len(self._states) >= STATES_MAX:
                self._states.clear()
            # Kept with the state itself, so that nothing else can have its id().
            kept = self._states[id(state)] = (state, encode_message(state))
        return kept[1]

    def _publish_signed(self, topic: str, payload: bytes, qos: int) -> None:
        self._publish(topic, payload, qos, signature=sign_message(self._key, topic, payload))

    def _keep(self, target: FrameId, data: bytes) -> None:
        self._acknowledgements.pop(target, None)
        self._acknowledgements[target] = data
        if len(self._acknowledgements) > ACKNOWLEDGEMENTS_MAX:
            del self._acknowledgements[next(iter(self._acknowledgements))]

    def _send(self, node: NodeId, channel: Down, frame: Frame, qos: int) -> None:
        self._publish(str(DownTopic(node, channel)), encode(frame, self._key), qos)
