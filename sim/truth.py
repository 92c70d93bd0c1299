"""What really happened in a town: the presses that were made, and what became of each alert."""

from __future__ import annotations

from dataclasses import dataclass, field

from wire.frames import SignedFrame
from wire.ids import NodeId
from wire.kinds import AlertKind


@dataclass(slots=True)
class Press:
    """A gesture that was made whole, and what it must become."""

    node: NodeId
    kind: AlertKind
    begun_ms: int
    ended_ms: int
    is_refused: bool = False
    """The disk would not take it; the screen says so, and the press lives no longer than the program."""
    is_settled: bool = False


@dataclass(slots=True)
class Truth:
    """What really happened to an alert.

    Attributes:
        stored_ms: true time of the commit on the node's disk.
        pressed_ms: and of the press, which may have had to wait for the disk, or for a number that central takes.
        is_clock_true: it bears the true time.
        is_kept: on the node's disk until its receipt; a path test is not.
        shown_at: where it was on the panel; ``remembered_at``: and where a disk that works remembers it.
        arrived_ms: when each node first took it in.
    """

    signed: SignedFrame
    stored_ms: int
    pressed_ms: int
    is_clock_true: bool
    is_kept: bool = True
    shown_at: set[NodeId] = field(default_factory=set)
    remembered_at: set[NodeId] = field(default_factory=set)
    arrived_ms: dict[NodeId, int] = field(default_factory=dict)
