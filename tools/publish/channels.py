"""The topics as data: who writes them, who reads them, and what they carry."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from wire.directory import SealedDirectory
from wire.directory_parts import DirectoryPart
from wire.ids import NodeId
from wire.kinds import FrameKind
from wire.limits import FRAME_BYTES_MAX
from wire.messages import CentralStatus, Health, IncidentState, Message, Sync, SyncAnswer, bytes_max
from wire.node_settings import SealedSettings
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Topic, Up, UpTopic

_NODE: Final = NodeId(0xFFFF_FFFF)
_SCHEME: Final = "scheme-slug"


class Channel(Struct, frozen=True):
    """One topic and what travels on it.

    Attributes:
        name: in the AsyncAPI document.
        topic: with placeholders for scheme and node.
        writer, readers: in words.
        is_from_central: central writes it.
        qos: 0 where the next message, or the next sync, makes up for a lost one.
        payload: kinds of frame, or a type of message.
        operation, summary: what central does with it, as a name and in words.
        is_signed: its writer signs it in the user property ``signature``. Frames and the directory sign themselves.
        in_parts: the type that carries the payload where it does not fit into one message.
    """

    name: str
    topic: Topic
    writer: str
    readers: str
    is_from_central: bool
    qos: int
    payload: tuple[FrameKind, ...] | type[Message]
    operation: str
    summary: str
    is_signed: bool = False
    in_parts: type[Message] | None = None

    @property
    def address(self) -> str:
        """The topic with ``{scheme}`` and ``{node}`` as parameters."""
        return str(self.topic).replace("ffffffff", "{node}").replace(_SCHEME, "{scheme}")

    @property
    def payload_bytes_max(self) -> int:
        """The largest payload, in bytes."""
        if isinstance(self.payload, tuple):
            return FRAME_BYTES_MAX
        return bytes_max(self.payload)

    @property
    def messages(self) -> tuple[type[Message], ...]:
        """The types of JSON message on it; none if it carries frames."""
        if isinstance(self.payload, tuple):
            return ()
        return (self.payload,) if self.in_parts is None else (self.payload, self.in_parts)


CHANNELS: Final = (
    Channel(
        "frame",
        FrameTopic(_SCHEME, _NODE),
        "that node",
        "central, members of the scheme",
        False,  # noqa: FBT003 (a table)
        1,
        (FrameKind.ALERT, FrameKind.CANCEL, FrameKind.RESPONSE, FrameKind.PATH_TEST),
        "takeInFrame",
        "A member speaks to its scheme: central commits and answers, neighbours are warned.",
    ),
    Channel(
        "incident",
        IncidentTopic(_SCHEME),
        "central",
        "members of the scheme",
        True,  # noqa: FBT003
        1,
        IncidentState,
        "publishIncident",
        "The whole state of an incident, each time it changes.",
        is_signed=True,
    ),
    Channel(
        "central",
        CentralTopic(_SCHEME),
        "central",
        "members of the scheme",
        True,  # noqa: FBT003
        0,
        CentralStatus,
        "publishStatus",
        "Central's heartbeat, every 10 s and when duty changes: it proves the path and says who is on duty for the"
        " scheme.",
        is_signed=True,
    ),
    Channel(
        "health",
        UpTopic(_NODE, Up.HEALTH),
        "that node; the broker, for its last will",
        "central",
        False,  # noqa: FBT003
        0,
        Health,
        "noteHealth",
        "A node's heartbeat, every 10 s. The last will is sent with QoS 1, signed beforehand: a hint, no proof.",
        is_signed=True,
    ),
    Channel(
        "sync",
        UpTopic(_NODE, Up.SYNC),
        "that node",
        "central",
        False,  # noqa: FBT003
        0,
        Sync,
        "takeSync",
        "A node asks for what it may have missed: after each connect, when central may have a new boot id, and every "
        "60 s at least.",
        is_signed=True,
    ),
    Channel(
        "heard",
        UpTopic(_NODE, Up.HEARD),
        "that node",
        "central",
        False,  # noqa: FBT003
        1,
        (FrameKind.ALERT, FrameKind.CANCEL, FrameKind.RESPONSE, FrameKind.PATH_TEST),
        "takeRelayedFrame",
        "A frame of somebody else's, heard on the radio by this node: central takes it in as if it had come itself.",
        is_signed=True,
    ),
    Channel(
        "receipt",
        DownTopic(_NODE, Down.RECEIPT),
        "central",
        "that node",
        True,  # noqa: FBT003
        0,
        (FrameKind.RECEIPT, FrameKind.DIGEST_RECEIPT, FrameKind.REFUSAL),
        "sendReceipt",
        "Central has committed a frame of this node's, or never will. A lost one is asked for by the frame's "
        "repetition.",
    ),
    Channel(
        "ack",
        DownTopic(_NODE, Down.ACK),
        "central",
        "that node",
        True,  # noqa: FBT003
        1,
        (FrameKind.ACKNOWLEDGEMENT, FrameKind.AUTOMATIC_ACKNOWLEDGEMENT, FrameKind.PRESS_ACKNOWLEDGEMENT),
        "sendAcknowledgement",
        "A person on duty has said something of an incident of this node's.",
    ),
    Channel(
        "air",
        DownTopic(_NODE, Down.AIR),
        "central",
        "that node",
        True,  # noqa: FBT003
        0,
        (
            FrameKind.RECEIPT,
            FrameKind.RECEIPT_BATCH,
            FrameKind.DIGEST_RECEIPT,
            FrameKind.DIGEST_RECEIPT_BATCH,
            FrameKind.REFUSAL,
            FrameKind.ACKNOWLEDGEMENT,
            FrameKind.AUTOMATIC_ACKNOWLEDGEMENT,
            FrameKind.PRESS_ACKNOWLEDGEMENT,
            FrameKind.ALERT,
            FrameKind.CANCEL,
        ),
        "putOnAir",
        "A frame for those whom the network does not reach: receipts, answers, members' alerts.",
    ),
    Channel(
        "syncAnswer",
        DownTopic(_NODE, Down.SYNC),
        "central",
        "that node",
        True,  # noqa: FBT003
        1,
        SyncAnswer,
        "answerSync",
        "What the node may have missed.",
        is_signed=True,
    ),
    Channel(
        "directory",
        DownTopic(_NODE, Down.DIRECTORY),
        "central, which cannot sign it",
        "that node",
        True,  # noqa: FBT003
        1,
        SealedDirectory,
        "sendDirectory",
        "The directory of senders, signed by the authority, to nodes that hold an older one; in parts if it is large.",
        in_parts=DirectoryPart,
    ),
    Channel(
        "settings",
        DownTopic(_NODE, Down.SETTINGS),
        "central, which cannot sign them",
        "that node",
        True,  # noqa: FBT003
        1,
        SealedSettings,
        "sendSettings",
        "A node's settings, signed by the authority, to a node whose health says that it has older ones.",
    ),
)
