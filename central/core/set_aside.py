"""What becomes of an event on which the rules raise: our bug, triggered by this input.

The step is undone (:mod:`central.core.undo`), as if the event had not happened. It is tried again in parts, and the
smallest part that still fails is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from central.core import events as ev
from central.core.journal import ActionEntry, FrameEntry
from wire.ids import NodeId

T = TypeVar("T")

INTERNAL_ERROR: Final = "internal error"
"""The counter's label."""
NOT_DONE: Final = "Central has a fault, and could not do that. Nothing was changed. Try once more, then call support."
WRITTEN_ONLY: Final = (
    "Central has a fault: it wrote that down, and could not carry it out. Look at the card, then try again."
)
SOME_NOT_DONE: Final = "Central has a fault: some were done, others were not. Look at the cards, then try again."


class Problem(Struct, frozen=True):
    """Why some of an act was not done, as its person is told.

    Attributes:
        of_all: if nothing of it was done.
        of_some: if the others were.
        is_of_disk: the disk refused them; they can be tried again.
    """

    of_all: str
    of_some: str = SOME_NOT_DONE
    is_of_disk: bool = False


def refused_by_disk(detail: str) -> Problem:
    """The disk refuses; ``detail``: its own words."""
    of_disk = f"Central's disk refuses: {detail}"
    some = f"Some were recorded, others were not. Look at the cards. {of_disk}"
    return Problem(f"Nothing was recorded. {of_disk}", some, is_of_disk=True)


class Spared(Protocol):
    """Returns what ``part`` does, or ``None`` if it alone fails: the step goes on without it, and people are told."""

    def __call__(self, part: Callable[[], T], what: object, sender: NodeId) -> T | None: ...  # noqa: D102


def parts_of(event: ev.Event) -> tuple[ev.Event, ...]:
    """The same event as smaller ones; empty if it cannot be split."""
    match event:
        case ev.FramesCommitted(ids) if len(ids) > 1:
            return tuple(ev.FramesCommitted((frame_id,)) for frame_id in ids)
        case ev.FramesKnown(frames) if len(frames) > 1:
            return tuple(ev.FramesKnown((frame,)) for frame in frames)
        case _:
            return ()


def sender_of(what: object) -> NodeId | None:
    """The node whose alert or message it is, if known: someone should ring them."""
    node: NodeId | None = None
    match what:
        case ev.FramesCommitted(ids) if ids:
            node = ids[0].node
        case ev.FramesKnown(frames) if frames:
            node = frames[0].id.node
        case ev.FrameArrived():
            node = what.vouched_for
        case ev.HealthArrived() | ev.SyncArrived():
            node = what.node
        case FrameEntry():
            node = what.signed.frame.sender
        case ActionEntry() if what.incident is not None:
            node = what.incident.node
        case _:
            pass
    return node
