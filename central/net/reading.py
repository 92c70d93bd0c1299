"""The broker's messages → events for the core. Malformed input becomes InputRejected; nothing raises.

Signatures of messages are verified here, after all cheaper checks; those of frames in the core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from central.core.events import Event, FrameArrived, HealthArrived, InputRejected, SyncArrived
from central.net.inbox import Published
from wire.admission import is_signed_by
from wire.directory import Directory
from wire.errors import DecodeError
from wire.ids import NodeId
from wire.kinds import Path
from wire.messages import Health, Sync, decode_message
from wire.topics import FrameTopic, Topic, Up, UpTopic, parse_topic

_TOPICS_KEPT_MAX: Final = 20_000


class Reader:
    """Remembers parsed topics: each node has a few, which come again and again."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        """``directory``: returns the newest, which has the senders' keys."""
        self._directory = directory
        self._topics: dict[str, Topic] = {}

    def read(self, message: Published) -> Event:
        """The message's event, or InputRejected with the reason."""
        sender: NodeId | None = None
        try:
            topic = self._topics.get(message.topic) or self._parse(message.topic)
            if isinstance(topic, FrameTopic | UpTopic):
                sender = topic.node
            if message.is_oversized:
                is_frame = isinstance(topic, FrameTopic) or (isinstance(topic, UpTopic) and topic.channel is Up.HEARD)
                return InputRejected("too long" if is_frame else "message too large", sender)
            return self._fact(topic, message)
        except DecodeError as e:
            return InputRejected(e.reason, sender)

    def _parse(self, text: str) -> Topic:
        topic = parse_topic(text)
        if len(self._topics) >= _TOPICS_KEPT_MAX:
            self._topics.clear()
        self._topics[text] = topic
        return topic

    def _fact(self, topic: Topic, message: Published) -> Event:
        payload = message.payload
        match topic:
            case FrameTopic():
                return FrameArrived(payload, topic, Path.NETWORK)
            case UpTopic(node, Up.HEARD):
                self._is_signed(node, message)
                return FrameArrived(payload, None, Path.RADIO, node)
            case UpTopic(node, Up.HEALTH):
                health = decode_message(payload, Health)
                return HealthArrived(node, health, self._is_signed(node, message))
            case UpTopic(node, Up.SYNC):
                sync = decode_message(payload, Sync)
                return SyncArrived(node, sync, self._is_signed(node, message))
            case _:
                return InputRejected("topic", None)

    def _is_signed(self, node: NodeId, message: Published) -> bool:
        return is_signed_by(node, self._directory(), message.topic, message.payload, message.signature)
