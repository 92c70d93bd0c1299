"""Past facts, each one thing that happened outside the core. Adapters make them."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from central.core.journal import JournalEntry, Recall, SeenFrame
from central.core.rights import Rights
from central.core.view import Action, Person
from wire.directory import Directory
from wire.ids import FrameId, NodeId
from wire.kinds import Path
from wire.messages import Health, Sync
from wire.node_settings import SignedSettings
from wire.snapshots import PremisesEntry, Rota, Way
from wire.topics import FrameTopic


class Started(Struct, frozen=True):
    """The program is up, with what the disk remembers. First event of every run, exactly once.

    Attributes:
        boot_id: new at every start.
        directory: verified; the empty one if there is none.
        directory_data: the same, sealed, as sent to nodes.
        earlier: how far the times of central's earlier runs are ahead of this run's, where they differ.
    """

    boot_id: str
    directory: Directory
    directory_data: bytes
    recall: Recall
    earlier: tuple[timedelta, ...] = ()


class Ticked(Struct, frozen=True):
    """About once a second, whatever else happens.

    Attributes:
        wall_ahead: how far this machine's clock has been set forward since central began; negative = back.
    """

    wall_ahead: timedelta = timedelta()


class DirectoryChanged(Struct, frozen=True):
    """A directory with a newer serial, its signature verified."""

    directory: Directory
    data: bytes


class SettingsChanged(Struct, frozen=True):
    """The newest settings of each node that has any, as sealed by the authority."""

    settings: tuple[SignedSettings, ...]


class DirectoryRefused(Struct, frozen=True):
    """The directory's file cannot be used; the old directory stays. Once for each bad file."""

    reason: str


class LinkUp(Struct, frozen=True):
    """Connected to the broker and subscribed."""


class LinkDown(Struct, frozen=True):
    """Not connected: alerts cannot arrive."""

    detail: str


class LaneChanged(Struct, frozen=True):
    """Whether the connection for alerts is up and has carried a message of central's own."""

    is_proven: bool


class FrameArrived(Struct, frozen=True):
    """Bytes that claim to be a frame.

    Attributes:
        topic: where it was published; ``None`` for the radio.
        relay: the node on whose ``up/heard`` it came; ``None`` for the network. The broker binds it to the certificate.
    """

    data: bytes
    topic: FrameTopic | None
    path: Path
    relay: NodeId | None = None

    @property
    def vouched_for(self) -> NodeId | None:
        """The node that published it, whatever sender the frame claims."""
        return self.relay if self.topic is None else self.topic.node


class HealthArrived(Struct, frozen=True):
    """A heartbeat or last will. The broker binds the topic, and so ``node``, to the certificate.

    Attributes:
        is_signed: by ``node``; unsigned only if its version does not sign.
    """

    node: NodeId
    health: Health
    is_signed: bool = False


class SyncArrived(Struct, frozen=True):
    """A node asks for what it may have missed; ``is_signed`` as for :class:`HealthArrived`."""

    node: NodeId
    sync: Sync
    is_signed: bool = False


class InputRejected(Struct, frozen=True):
    """An adapter dropped something malformed.

    Attributes:
        reason: a counter's label, from a fixed set; never text from the input.
        sender: the node on whose topic it came, if known.
    """

    reason: str
    sender: NodeId | None


class FramesCommitted(Struct, frozen=True):
    """These are on disk for good. Answers :class:`~central.core.effects.CommitFrame`."""

    ids: tuple[FrameId, ...]


class FramesKnown(Struct, frozen=True):
    """These were not written because the disk already has frames with their ids: what it has."""

    frames: tuple[SeenFrame, ...]


class ActionCommitted(Struct, frozen=True):
    """On disk for good. Answers :class:`~central.core.effects.CommitAction`."""

    entry: int


class CommitFailed(Struct, frozen=True):
    """The disk refused these (full, read-only, locked, broken); as far as it says, none is stored."""

    ids: tuple[FrameId, ...]
    entries: tuple[int, ...]
    detail: str
    is_own_fault: bool = False
    """We failed to write them: our bug, and the disk is well."""


class StoreFailed(Struct, frozen=True):
    """Another use of the disk failed (liveness, counters, probe, recall); not the journal's."""

    detail: str


class OpenRecalled(Struct, frozen=True):
    """Incidents forgotten for want of room. Answers :class:`~central.core.effects.RecallOpen`.

    Attributes:
        journal: their entries, rising by ``entry``.
        is_all: no more of the node's are open on disk.
        act: as in the effect.
    """

    node: NodeId
    journal: tuple[JournalEntry, ...]
    is_all: bool
    act: int = 0


class StoreRecovered(Struct, frozen=True):
    """The disk takes writes again. Answers :class:`~central.core.effects.ProbeStore`."""


class Resumed(Struct, frozen=True):
    """Nothing more urgent waits. Answers :class:`~central.core.effects.Yield`."""


class ReserveChanged(Struct, frozen=True):
    """The room kept for the journal on a full disk is whole, or is being used up."""

    is_whole: bool


class ActionRequested(Struct, frozen=True):
    """A person wants something done.

    Attributes:
        request: number by which the answer is matched.
        rights: of ``by``, who acts in ``by.role``.
    """

    request: int
    action: Action
    by: Person
    rights: Rights


class PeopleChanged(Struct, frozen=True):
    """A newer people snapshot, verified: it replaces all before it.

    Attributes:
        rights: of each account that it lists; whoever is not among them has none.
        names: what each is called.
    """

    rights: tuple[tuple[int, Rights], ...]
    names: tuple[tuple[int, str], ...] = ()


class PremisesChanged(Struct, frozen=True):
    """A newer premises snapshot, verified: it replaces all before it."""

    entries: tuple[PremisesEntry, ...]


class RotaChanged(Struct, frozen=True):
    """A newer rota snapshot, verified: it replaces all before it."""

    rota: Rota


class WaysChanged(Struct, frozen=True):
    """Whom the notifier can reach now, and how.

    Attributes:
        ways: by account; nobody, while there is no notifier. Whoever is not listed is asked by an open page only.
        is_sure: the notifier has said so. Until it has had its time to come, all ways are taken for there.
    """

    ways: tuple[tuple[int, tuple[Way, ...]], ...]
    is_sure: bool = True


class NoticeEnded(Struct, frozen=True):
    """A message that :class:`~central.core.effects.Ask` ordered went out, or never will.

    Attributes:
        scheme, entry: as there.
        is_delivered: a push service or gateway has taken it. Whether anybody saw it, nobody knows.
        words: for people, why it failed; empty if it did not.
    """

    incident: FrameId
    scheme: int
    entry: int
    account: int
    way: Way
    is_delivered: bool
    words: str = ""


Event = (
    Started
    | Ticked
    | DirectoryChanged
    | DirectoryRefused
    | SettingsChanged
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
    | Resumed
    | ActionRequested
    | PeopleChanged
    | PremisesChanged
    | RotaChanged
    | WaysChanged
    | NoticeEnded
)
