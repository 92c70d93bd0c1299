"""Past facts, each one thing that happened outside the core. Adapters make them; nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

from central.core.journal import Recall, SeenFrame
from central.core.view import Action, Person
from wire.directory import Directory
from wire.ids import FrameId, NodeId
from wire.kinds import Path
from wire.messages import Health, Sync
from wire.topics import FrameTopic


@dataclass(frozen=True, slots=True)
class Started:
    """The program is up; what the disk remembers. First event of every run, exactly once.

    Attributes:
        boot_id: new at every start.
        directory: verified; the empty one if there is none.
        directory_data: the same, sealed, as it is passed on to nodes.
    """

    boot_id: str
    directory: Directory
    directory_data: bytes
    recall: Recall


@dataclass(frozen=True, slots=True)
class Ticked:
    """About once a second, whatever else happens."""


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """A directory with a newer serial, its signature verified."""

    directory: Directory
    data: bytes


@dataclass(frozen=True, slots=True)
class DirectoryRefused:
    """The directory's file cannot be used; the old one stays. Comes once for each bad file."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Connected to the broker and subscribed."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Not connected: alerts cannot arrive."""

    detail: str


@dataclass(frozen=True, slots=True)
class FrameArrived:
    """Bytes that claim to be a frame.

    Attributes:
        topic: where it was published; ``None`` for the radio.
        relay: whose ``up/heard`` it came on; ``None`` for the network. The broker binds it to the certificate.
    """

    data: bytes
    topic: FrameTopic | None
    path: Path
    relay: NodeId | None = None

    @property
    def vouched_for(self) -> NodeId | None:
        """Who put it on the broker, whoever the frame claims to be from."""
        return self.relay if self.topic is None else self.topic.node


@dataclass(frozen=True, slots=True)
class HealthArrived:
    """A heartbeat or last will. The broker binds the topic, so ``node``, to the certificate."""

    node: NodeId
    health: Health


@dataclass(frozen=True, slots=True)
class SyncArrived:
    """A node asks for what it may have missed."""

    node: NodeId
    sync: Sync


@dataclass(frozen=True, slots=True)
class InputRejected:
    """An adapter dropped something malformed.

    Attributes:
        reason: a counter's label, of a fixed set; never text from the input.
        sender: whose topic it came on, where the topic parsed.
    """

    reason: str
    sender: NodeId | None


@dataclass(frozen=True, slots=True)
class FramesCommitted:
    """These are on disk for good. Answers :class:`~central.core.effects.CommitFrame`."""

    ids: tuple[FrameId, ...]


@dataclass(frozen=True, slots=True)
class FramesKnown:
    """These were not written because the disk has a frame of that id already; what it has."""

    frames: tuple[SeenFrame, ...]


@dataclass(frozen=True, slots=True)
class ActionCommitted:
    """On disk for good. Answers :class:`~central.core.effects.CommitAction`."""

    entry: int


@dataclass(frozen=True, slots=True)
class CommitFailed:
    """The disk would not take these (full, read-only, locked, broken); none of them is stored."""

    ids: tuple[FrameId, ...]
    entries: tuple[int, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """Another write failed (liveness, probe). Nothing of the journal is concerned."""

    detail: str


@dataclass(frozen=True, slots=True)
class StoreRecovered:
    """The disk takes writes again. Answers :class:`~central.core.effects.ProbeStore`."""


@dataclass(frozen=True, slots=True)
class ActionRequested:
    """A person wants something done.

    Attributes:
        request: by which the answer is matched.
    """

    request: int
    action: Action
    by: Person


Event = (
    Started
    | Ticked
    | DirectoryChanged
    | DirectoryRefused
    | LinkUp
    | LinkDown
    | FrameArrived
    | HealthArrived
    | SyncArrived
    | InputRejected
    | FramesCommitted
    | FramesKnown
    | ActionCommitted
    | CommitFailed
    | StoreFailed
    | StoreRecovered
    | ActionRequested
)
