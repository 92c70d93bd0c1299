"""The journal: everything that ever changed an incident, in order. Incidents are what replaying it gives.

An entry is on disk before it has any effect, so what people and shops were told can always be told again.
``entry`` numbers rise over the whole life of central, with gaps where a commit failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from central.core.view import Person
from wire.frames import Alert, Cancel, Response, SignedFrame
from wire.ids import FrameId, NodeId
from wire.kinds import Path

ActionKind = Literal[
    "acknowledged",
    "unacknowledged",
    "on-the-way",
    "assigned",
    "note",
    "closed",
    "watch-started",
    "watch-ended",
    "found-late",
]


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """A frame that was admitted.

    Attributes:
        signed: the frame and its bytes.
        digest: SHA-256 of the bytes, 32 bytes.
        path: how it came.
        arrived_at: when central had it in hand.
        is_late: stored at the node for more than a minute before it arrived (N13).
        is_clock_ahead: it claims to come from the future; its time is not shown.
    """

    entry: int
    signed: SignedFrame
    digest: bytes
    path: Path
    arrived_at: datetime
    is_late: bool
    is_clock_ahead: bool

    @property
    def incident(self) -> FrameId | None:
        """The incident it is about; ``None`` for a path test."""
        match self.signed.frame:
            case Alert() | Cancel() as frame:
                return frame.incident_id
            case Response() as frame:
                return frame.target
            case _:
                return None


@dataclass(frozen=True, slots=True)
class ActionEntry:
    """Something a person did; ``found-late`` is central's own finding and has nobody.

    Attributes:
        text: note, outcome or assignee, already cleaned; for ``found-late`` the alert's id.
    """

    entry: int
    kind: ActionKind
    incident: FrameId | None
    by: Person | None
    text: str
    at: datetime


JournalEntry = FrameEntry | ActionEntry


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame that is on disk, without its bytes."""

    id: FrameId
    digest: bytes
    is_late: bool


@dataclass(frozen=True, slots=True)
class KeptNode:
    """What the disk remembers of a node's liveness: coarse, minutes old."""

    node: NodeId
    last_seen_at: datetime
    boot_id: str


@dataclass(frozen=True, slots=True)
class Recall:
    """What the disk remembers at start.

    Attributes:
        journal: of every incident that is open or was closed within a day, and early cancels and responses of
            the last day; rising by ``entry``.
        seen: frames of the last 90 days.
        highest_counters: for each sender, over all time.
        on_watch: persons whose watch has not ended.
        last_entry: the highest entry ever committed.
    """

    journal: tuple[JournalEntry, ...] = ()
    seen: tuple[SeenFrame, ...] = ()
    highest_counters: tuple[tuple[NodeId, int], ...] = ()
    on_watch: tuple[Person, ...] = ()
    nodes: tuple[KeptNode, ...] = ()
    last_entry: int = 0
