"""What really happened in a town: the presses, and what became of each alert."""

from __future__ import annotations

from dataclasses import dataclass, field

from wire.frames import SignedFrame
from wire.ids import NodeId
from wire.kinds import AlertKind


@dataclass(slots=True)
class Press:
    """A whole press, and what it must become."""

    node: NodeId
    kind: AlertKind
    begun_ms: int
    ended_ms: int
    is_refused: bool = False
    """The disk refused it; the screen says so, and the press dies with the program."""
    is_settled: bool = False


@dataclass(slots=True)
class Truth:
    """The truth about an alert.

    Attributes:
        stored_ms: true time of the commit on the node's disk.
        pressed_ms: true time of the press; the commit may have waited for the disk, or for a number that central takes.
        is_clock_true: it bears the true time.
        is_kept: on the node's disk until its receipt; a path test is not.
        shown_at: nodes whose panel showed it; ``remembered_at``: those whose disk remembers that.
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
