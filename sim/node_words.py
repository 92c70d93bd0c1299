"""What a node's actor says in the trace, and how drafts become frames."""

from __future__ import annotations

from node.core import effects as do
from node.core import events as ev
from wire.frames import Alert, Cancel, Frame, PathTest, Response
from wire.ids import NodeId


def told(event: ev.Event) -> str:
    """An event, in words that are the same in every run."""
    match event:
        case ev.FrameReceived():
            return f"FrameReceived {event.data.hex()[:26]}"
        case ev.Started() | ev.DirectoryReceived():
            return type(event).__name__  # A directory's keys have no stable text.
        case ev.FrameStored():
            return f"FrameStored {event.signed.frame.id.text}"
        case _:
            return repr(event)


def frame_of(content: do.Draft, node: NodeId, counter: int, at_s: int) -> Frame:
    """The draft, numbered, as the store makes it."""
    match content:
        case do.AlertDraft():
            incident = content.incident or counter
            return Alert(
                node, counter, at_s, content.kind, incident, content.schemes, silent=content.silent, drill=content.drill
            )
        case do.CancelDraft():
            return Cancel(node, counter, at_s, content.incident, content.reason, content.schemes)
        case do.ResponseDraft():
            return Response(node, counter, at_s, content.target, content.response, content.schemes)
        case do.PathTestDraft():
            return PathTest(node, counter, at_s, content.path)
