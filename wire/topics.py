"""The MQTT topics. Every topic begins with ``watchlink/1/``.

| topic | who writes | who reads | payload |
|---|---|---|---|
| ``scheme/{scheme}/frame/{node}`` | that node | members of the scheme, central | a frame |
| ``scheme/{scheme}/incident`` | central | members | :class:`~wire.messages.IncidentState` |
| ``scheme/{scheme}/central`` | central | members | :class:`~wire.messages.CentralStatus` |
| ``node/{node}/up/{channel}`` | that node | central | see :class:`Up` |
| ``node/{node}/down/{channel}`` | central | that node | see :class:`Down` |

The broker's ACL binds ``{node}`` to the client certificate's subject (:mod:`wire.subjects`). ``{scheme}`` is the slug.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from wire.errors import DecodeError, TopicError
from wire.ids import NodeId, node_text, parse_node
from wire.limits import TOPIC_BYTES_MAX

PREFIX: Final = "watchlink/1"
SCHEME_SLUG: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")

ALL_FRAMES: Final = f"{PREFIX}/scheme/+/frame/+"
"""Central's subscription to all frames of members."""
ALL_HEARD: Final = f"{PREFIX}/node/+/up/heard"
ALL_SYNCS: Final = f"{PREFIX}/node/+/up/sync"
ALL_HEALTH: Final = f"{PREFIX}/node/+/up/health"
ALERTS_LANE: Final = (ALL_FRAMES, ALL_HEARD, ALL_SYNCS)
"""Subscriptions of central's connection for alerts: alerts, and the syncs that tell their age."""
ALL_UP: Final = f"{PREFIX}/node/+/up/+"
"""Central's subscription to all messages from nodes to central."""


class Up(StrEnum):
    """Node → central."""

    HEALTH = "health"
    """:class:`~wire.messages.Health`, every 10 s, and as the last will."""
    SYNC = "sync"
    """:class:`~wire.messages.Sync`: the node asks for what it may have missed."""
    HEARD = "heard"
    """A relay: another sender's Alert, Cancel, Response or Path-Test frame that this node heard on the radio and
    verified, byte for byte."""


class Down(StrEnum):
    """Central → node."""

    RECEIPT = "receipt"
    """A Receipt, Digest-Receipt or Refusal frame signed by central."""
    ACK = "ack"
    """An Acknowledgement, Automatic-Acknowledgement or Press-Acknowledgement frame signed by central."""
    SYNC = "sync"
    """:class:`~wire.messages.SyncAnswer`."""
    DIRECTORY = "directory"
    """:class:`~wire.directory.SealedDirectory`: to nodes that hold an older one."""
    SETTINGS = "settings"
    """:class:`~wire.node_settings.SealedSettings`: to a node whose health says that it has older ones."""
    AIR = "air"
    """A frame that this node is asked to put on the air once: central's Receipt, Receipt-Batch, Digest-Receipt,
    Digest-Receipt-Batch, Refusal, Acknowledgement, Automatic-Acknowledgement or Press-Acknowledgement, or a member's
    Alert or Cancel."""


class FrameTopic(Struct, frozen=True):
    """A member's frames to a scheme."""

    scheme: str
    node: NodeId

    def __str__(self) -> str:
        return f"{PREFIX}/scheme/{self.scheme}/frame/{node_text(self.node)}"


class IncidentTopic(Struct, frozen=True):
    """State of a scheme's incidents."""

    scheme: str

    def __str__(self) -> str:
        return f"{PREFIX}/scheme/{self.scheme}/incident"


class CentralTopic(Struct, frozen=True):
    """Central's heartbeat to a scheme."""

    scheme: str

    def __str__(self) -> str:
        return f"{PREFIX}/scheme/{self.scheme}/central"


class UpTopic(Struct, frozen=True):
    """A node to central."""

    node: NodeId
    channel: Up

    def __str__(self) -> str:
        return f"{PREFIX}/node/{node_text(self.node)}/up/{self.channel}"


class DownTopic(Struct, frozen=True):
    """Central to a node."""

    node: NodeId
    channel: Down

    def __str__(self) -> str:
        return f"{PREFIX}/node/{node_text(self.node)}/down/{self.channel}"


Topic = FrameTopic | IncidentTopic | CentralTopic | UpTopic | DownTopic


def scheme_frames(scheme: str) -> str:
    """A member's subscription to its neighbours' frames."""
    return f"{PREFIX}/scheme/{scheme}/frame/+"


def all_down(node: NodeId) -> str:
    """A node's subscription to central's messages to it."""
    return f"{PREFIX}/node/{node_text(node)}/down/+"


def parse_topic(text: str) -> Topic:
    """Read a topic back.

    Raises:
        TopicError: not one of ours; the reason contains nothing of the text.
    """
    if len(text.encode(errors="surrogatepass")) > TOPIC_BYTES_MAX:
        raise TopicError("topic too long")
    if not text.startswith(PREFIX + "/"):
        raise TopicError("topic prefix")
    try:
        match text[len(PREFIX) + 1 :].split("/"):
            case ["scheme", scheme, "frame", node] if SCHEME_SLUG.fullmatch(scheme):
                return FrameTopic(scheme, parse_node(node))
            case ["scheme", scheme, "incident"] if SCHEME_SLUG.fullmatch(scheme):
                return IncidentTopic(scheme)
            case ["scheme", scheme, "central"] if SCHEME_SLUG.fullmatch(scheme):
                return CentralTopic(scheme)
            case ["node", node, "up", channel]:
                return UpTopic(parse_node(node), Up(channel))
            case ["node", node, "down", channel]:
                return DownTopic(parse_node(node), Down(channel))
    except (DecodeError, ValueError) as e:
        raise TopicError("topic") from e
    raise TopicError("topic")
