"""The journal: everything that ever changed an incident, in order. Incidents are what replaying it gives.

An entry is on disk before it has any effect, so what people and shops were told can always be told again.
``entry`` numbers rise over the whole life of central, with gaps where a commit failed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from central.core.view import ActionForMany, OnDuty, Person
from wire.frames import Alert, Cancel, Frame, Response, SignedFrame
from wire.ids import FrameId, NodeId
from wire.kinds import Path

ActionKind = Literal[
    "acknowledged",
    "unacknowledged",
    "on-the-way",
    "assigned",
    "note",
    "closed",
    "duty-started",
    "duty-ended",
    "found-late",
]


class FrameEntry(Struct, frozen=True):
    """A frame that was admitted.

    Attributes:
        signed: the frame and its bytes.
        digest: SHA-256 of the bytes, 32 bytes.
        path: how it came.
        arrived_at: when central had it in hand.
        is_late: stored at the node for more than a minute before it arrived (N13).
        is_clock_ahead: it claims to come from the future; its time is not shown.
        relay: who heard it on the radio and passed it on first; ``None`` for the network.
    """

    entry: int
    signed: SignedFrame
    digest: bytes
    path: Path
    arrived_at: datetime
    is_late: bool
    is_clock_ahead: bool
    relay: NodeId | None = None

    @property
    def incident(self) -> FrameId | None:
        """The incident it is about; ``None`` for a path test."""
        return incident_of(self.signed.frame)


def incident_of(frame: Frame) -> FrameId | None:
    """The incident a frame is about, if it is about one."""
    match frame:
        case Alert() | Cancel():
            return frame.incident_id
        case Response():
            return frame.target
        case _:
            return None


class ActionEntry(Struct, frozen=True):
    """Something a person did; ``found-late`` is central's own finding and has nobody.

    Attributes:
        text: note, outcome or assignee, already cleaned; for ``found-late`` the alert's id; for ``on-the-way`` who
            comes, as ``role name``. (Journals of before November 2026 leave it empty: then ``by`` comes.)
    """

    entry: int
    kind: ActionKind
    incident: FrameId | None
    by: Person | None
    text: str
    at: datetime

    @property
    def coming(self) -> Person | None:
        """Of ``on-the-way``: who comes."""
        role, _, name = self.text.partition(" ")
        return Person(role, name) if name else self.by


JournalEntry = FrameEntry | ActionEntry


class SeenFrame(Struct, frozen=True):
    """A frame that is on disk, without its bytes."""

    id: FrameId
    digest: bytes
    is_late: bool


class KeptNode(Struct, frozen=True):
    """What the disk remembers of a node's liveness: coarse, minutes old.

    Attributes:
        speaks: newer things that it understands, as its signed health said.
    """

    node: NodeId
    last_seen_at: datetime
    boot_id: str
    speaks: tuple[str, ...] = ()


class KeptAct(Struct, frozen=True):
    """An act for many incidents of one node that is not carried out to its end.

    Attributes:
        number: of the first entry that it wrote, by which it is known.
        action: for one of them.
        through: those pressed since this entry are left out.
    """

    number: int
    action: ActionForMany
    by: Person
    through: int


class KeptFigures(Struct, frozen=True):
    """One path of one premises on one day (UTC), as :mod:`central.core.figures` counts it.

    Attributes:
        deliveries: how many alerts took how long, by its bounds.
    """

    day: date
    node: NodeId
    path: Path
    watched_minutes: int
    up_minutes: int
    frames: int
    late: int
    deliveries: tuple[int, ...]


class KeptPath(Struct, frozen=True):
    """What the journal says of one node's path over the air and of its weekly test, each with its last time."""

    node: NodeId
    radio_heard_at: datetime | None = None
    heard_by: NodeId | None = None
    weekly_test_at: datetime | None = None


class Recall(Struct, frozen=True):
    """What the disk remembers at start.

    Attributes:
        journal: of the incidents that are open or were closed within a day, and early cancels and responses of
            the last day; of each sender the newest, as many as are kept in memory; rising by ``entry``.
        left_open: for each sender that has more open ones, how many more.
        seen: frames of the last 90 days, of each sender the newest; rising by counter.
        highest_counters: for each sender, over all time.
        on_duty: persons whose duty has not ended, and since when.
        last_entry: the highest entry ever committed, or ``raised_entry``.
        raised_entry: what nodes had seen of a database of which this one was an older copy; 0 = nothing.
        paths: of the last 60 days.
        figures: of this month and the last.
        acts: for many, not carried out to their end.
    """

    journal: tuple[JournalEntry, ...] = ()
    left_open: tuple[tuple[NodeId, int], ...] = ()
    seen: tuple[SeenFrame, ...] = ()
    highest_counters: tuple[tuple[NodeId, int], ...] = ()
    on_duty: tuple[OnDuty, ...] = ()
    nodes: tuple[KeptNode, ...] = ()
    last_entry: int = 0
    raised_entry: int = 0
    paths: tuple[KeptPath, ...] = ()
    figures: tuple[KeptFigures, ...] = ()
    acts: tuple[KeptAct, ...] = ()
