"""What central says, as bytes on topics.

Receipts go by QoS 0: one that is lost is asked for again by the node's retransmission, and a window of twenty
PUBACKs would hold five thousand of them back. What nobody asks for again goes by QoS 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from central.core import said
from central.core.effects import (
    PublishIncident,
    PublishStatus,
    RepeatAcknowledgement,
    SendAcknowledgement,
    SendDirectory,
    SendFrameToAir,
    SendReceipt,
    SendReceiptsToAir,
    SendRefusal,
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
"""Kept as JSON for the next answer to a sync that bears them."""
ACKNOWLEDGEMENTS_MAX: Final = 256
"""Kept to be said on the air a second time."""


class Publisher(Protocol):
    """Hands a message to the broker: :meth:`runtime.mqtt_link.PahoLink.publish`."""

    def __call__(  # noqa: D102
        self, topic: str, payload: bytes, qos: int = 0, *, signature: str | None = None
    ) -> bool: ...


class Announcer:
    """Signs and publishes. Raises only what ``next_counter`` raises."""

    def __init__(
        self, publish: Publisher, key: SigningKey, next_counter: Callable[[], int], unix_time_s: Callable[[], int]
    ) -> None:
        """Make one.

        Args:
            publish: must not block and must not raise.
            key: central's.
            next_counter: never gives the same twice, not even after a crash.
            unix_time_s: the wall clock.
        """
        self._publish = publish
        self._key = key
        self._next_counter = next_counter
        self._unix_time_s = unix_time_s
        self._acknowledgements: dict[FrameId, bytes] = {}
        # One directory goes to many: it is split once.
        self._states: dict[int, tuple[IncidentState, bytes]] = {}
        self._split_of = b""
        self._split: tuple[bytes, ...] = ()

    def send_receipt(self, order: SendReceipt) -> None:
        """Sign and send."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        self._send(order.node, Down.RECEIPT, said.receipt(order, counter, at_s), 0)

    def send_refusal(self, order: SendRefusal) -> None:
        """Sign and send."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        data = encode(said.refusal(order, counter, at_s), self._key)
        self._publish(str(DownTopic(order.node, Down.RECEIPT)), data, 0)
        if order.air is not None:
            self._publish(str(DownTopic(order.air, Down.AIR)), data, 0)

    def send_acknowledgement(self, order: SendAcknowledgement) -> None:
        """Sign and send."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        data = encode(said.acknowledgement(order, counter, at_s), self._key)
        self._publish(str(DownTopic(order.node, Down.ACK)), data, 1)
        if order.air is not None:
            self._publish(str(DownTopic(order.air, Down.AIR)), data, 0)
            self._keep(order.target, data)

    def repeat_acknowledgement(self, order: RepeatAcknowledgement) -> None:
        """The same bytes once more, if they are still known: they are one fact, however often they are heard."""
        data = self._acknowledgements.get(order.target)
        if data is not None:
            self._publish(str(DownTopic(order.node, Down.AIR)), data, 0)

    def send_receipts_to_air(self, order: SendReceiptsToAir) -> None:
        """Sign and send: a batch only where there is more than one."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        self._send(order.node, Down.AIR, said.receipts_on_air(order, counter, at_s), 0)

    def send_frame_to_air(self, order: SendFrameToAir) -> None:
        """A member's, as it came."""
        self._publish(str(DownTopic(order.node, Down.AIR)), order.data, 0)

    def publish_incident(self, order: PublishIncident) -> None:
        """To its scheme."""
        # Built from checked and cut values, so it is within its bounds: it need not be read back as encode_message()
        # does, which would cost as much as signing, once for each alert of a storm.
        self._publish_signed(str(IncidentTopic(order.state.scheme)), msgspec.json.encode(order.state), 1)

    def publish_status(self, order: PublishStatus) -> None:
        """To its scheme."""
        self._publish_signed(str(CentralTopic(order.scheme)), encode_message(order.status), 0)

    def send_sync_answer(self, order: SendSyncAnswer) -> None:
        """To its node, in parts if it is long."""
        for payload in split_sync_answer(order.answer, self._encoded):
            self._publish_signed(str(DownTopic(order.node, Down.SYNC)), payload, 1)

    def send_directory(self, order: SendDirectory) -> None:
        """To its node, in parts if it is large."""
        if self._split_of is not order.data:
            self._split_of, self._split = order.data, split_directory(order.data)
        for payload in self._split:
            self._publish(str(DownTopic(order.node, Down.DIRECTORY)), payload, 1)

    def _encoded(self, state: IncidentState) -> bytes:
        kept = self._states.get(id(state))
        if kept is None:
            if len(self._states) >= STATES_MAX:
                self._states.clear()
            # With the state itself: as long as it is there, nothing else has its identity.
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
