"""What central says, as bytes on topics.

Receipts go by QoS 0: one that is lost is asked for again by the node's retransmission, and a window of twenty
PUBACKs would hold five thousand of them back. What nobody asks for again goes by QoS 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from central.core.effects import (
    PublishIncident,
    PublishStatus,
    SendAcknowledgement,
    SendDirectory,
    SendReceipt,
    SendSyncAnswer,
)
from wire.frames import Acknowledgement, Frame, Receipt, encode
from wire.ids import CENTRAL, NodeId
from wire.messages import encode_message
from wire.signing import SigningKey
from wire.topics import CentralTopic, Down, DownTopic, IncidentTopic


class Publisher(Protocol):
    """Hands a message to the broker: :meth:`runtime.mqtt_link.PahoLink.publish`."""

    def __call__(self, topic: str, payload: bytes, qos: int = 0) -> bool: ...  # noqa: D102


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

    def send_receipt(self, order: SendReceipt) -> None:
        """Sign and send."""
        receipt = Receipt(CENTRAL, self._next_counter(), self._unix_time_s(), order.target, late=order.is_late)
        self._send(order.node, Down.RECEIPT, receipt, 0)

    def send_acknowledgement(self, order: SendAcknowledgement) -> None:
        """Sign and send."""
        counter, at_s = self._next_counter(), self._unix_time_s()
        frame = Acknowledgement(CENTRAL, counter, at_s, order.target, order.role, order.state, order.name)
        self._send(order.node, Down.ACK, frame, 1)

    def publish_incident(self, order: PublishIncident) -> None:
        """To its scheme."""
        # Built from checked and cut values, so it is within its bounds: it need not be read back as encode_message()
        # does, which would cost as much as signing, once for each alert of a storm.
        self._publish(str(IncidentTopic(order.state.scheme)), msgspec.json.encode(order.state), 1)

    def publish_status(self, order: PublishStatus) -> None:
        """To its scheme."""
        self._publish(str(CentralTopic(order.scheme)), encode_message(order.status), 0)

    def send_sync_answer(self, order: SendSyncAnswer) -> None:
        """To its node."""
        self._publish(str(DownTopic(order.node, Down.SYNC)), encode_message(order.answer), 1)

    def send_directory(self, order: SendDirectory) -> None:
        """To its node."""
        self._publish(str(DownTopic(order.node, Down.DIRECTORY)), order.data, 1)

    def _send(self, node: NodeId, channel: Down, frame: Frame, qos: int) -> None:
        self._publish(str(DownTopic(node, channel)), encode(frame, self._key), qos)
