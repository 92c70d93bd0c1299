"""Messages of the broker's → facts for the core. Anything malformed becomes InputRejected, nothing raises."""

from __future__ import annotations

from typing import Final

from central.core.events import Event, FrameArrived, HealthArrived, InputRejected, SyncArrived
from central.net.inbox import Published
from wire.errors import DecodeError
from wire.ids import NodeId
from wire.kinds import Path
from wire.messages import Health, Sync, decode_message
from wire.topics import FrameTopic, Topic, Up, UpTopic, parse_topic

_TOPICS_KEPT_MAX: Final = 20_000


class Reader:
    """Remembers the topics it has parsed: there are a few for each node, and they come again and again."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}

    def read(self, message: Published) -> Event:
        """The fact, or what was wrong with it."""
        sender: NodeId | None = None
        try:
            topic = self._topics.get(message.topic) or self._parse(message.topic)
            if isinstance(topic, FrameTopic | UpTopic):
                sender = topic.node
            if message.is_oversized:
                is_frame = isinstance(topic, FrameTopic) or (isinstance(topic, UpTopic) and topic.channel is Up.HEARD)
                return InputRejected("too long" if is_frame else "message too large", sender)
            return _fact(topic, message.payload)
        except DecodeError as e:
            return InputRejected(e.reason, sender)

    def _parse(self, text: str) -> Topic:
        topic = parse_topic(text)
        if len(self._topics) >= _TOPICS_KEPT_MAX:
            self._topics.clear()
        self._topics[text] = topic
        return topic


def _fact(topic: Topic, payload: bytes) -> Event:
    match topic:
        case FrameTopic():
            return FrameArrived(payload, topic, Path.NETWORK)
        case UpTopic(node, Up.HEARD):
            return FrameArrived(payload, None, Path.RADIO, node)
        case UpTopic(node, Up.HEALTH):
            return HealthArrived(node, decode_message(payload, Health))
        case UpTopic(node, Up.SYNC):
            return SyncArrived(node, decode_message(payload, Sync))
        case _:
            return InputRejected("topic", None)
