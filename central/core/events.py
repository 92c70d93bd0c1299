"""Past facts, each one thing that happened outside the core. Adapters make them; nothing else does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from central.core.journal import JournalEntry, Recall, SeenFrame
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
        earlier: how far the times of central's earlier runs are ahead of this run's, where they differ.
    """

    boot_id: str
    directory: Directory
    directory_data: bytes
    recall: Recall
    earlier: tuple[timedelta, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticked:
    """About once a second, whatever else happens.

    Attributes:
        wall_ahead: by how much this machine's clock has been set forward since central began.
    """

    wall_ahead: timedelta = timedelta()


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
class LaneChanged:
    """Whether a message of central's own has passed on the connection for alerts, and it is there still."""

    is_proven: bool


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
    """A heartbeat or last will. The broker binds the topic, so ``node``, to the certificate.

    Attributes:
        is_signed: by that node. Unsigned only from one whose version does not sign.
    """

    node: NodeId
    health: Health
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class SyncArrived:
    """A node asks for what it may have missed; ``is_signed`` as above."""

    node: NodeId
    sync: Sync
    is_signed: bool = False


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
    is_own_fault: bool = False
    """We failed to write them: a bug, and the disk is well."""


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """Another write failed (liveness, probe). Nothing of the journal is concerned."""

    detail: str


@dataclass(frozen=True, slots=True)
class OpenRecalled:
    """Incidents that had been forgotten for want of room. Answers :class:`~central.core.effects.RecallOpen`.

    Attributes:
        journal: all their entries, rising by ``entry``.
        is_all: no more of the node's are open on disk.
        act: as in the order.
    """

    node: NodeId
    journal: tuple[JournalEntry, ...]
    is_all: bool
    act: int = 0


@dataclass(frozen=True, slots=True)
class StoreRecovered:
    """The disk takes writes again. Answers :class:`~central.core.effects.ProbeStore`."""


@dataclass(frozen=True, slots=True)
class TurnCame:
    """Nothing more urgent waits. Answers :class:`~central.core.effects.TakeTurn`."""


@dataclass(frozen=True, slots=True)
class ReserveChanged:
    """What is kept free for the journal on a full disk is whole, or is being used up."""

    is_whole: bool


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
    | LaneChanged
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
    | OpenRecalled
    | ReserveChanged
    | TurnCame
    | ActionRequested
)
