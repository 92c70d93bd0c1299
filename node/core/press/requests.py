"""What the gallery asked for, and its answer: each request raises one alert at most (docs/gallery-socket.md)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.effects import TellGallery
from node.core.gallery_state import Request
from node.core.turn import Turn
from wire.frames import Alert
from wire.gallery_socket import Accepted, NotRaised, Refused
from wire.ids import FrameId

REQUESTS_MAX: Final = 16


def remember(turn: Turn, request: Request) -> None:
    """Note it; the oldest beyond :data:`REQUESTS_MAX` is forgotten."""
    gallery = turn.state.gallery
    turn.state.gallery = replace(gallery, requests=(*gallery.requests, request)[-REQUESTS_MAX:])


def refuse(turn: Turn, text: str, reason: NotRaised) -> None:
    """Nothing is raised for this request, now or if it is asked again."""
    remember(turn, Request(text, refused=reason))
    turn.reject(f"gallery {reason.value}")  # Counted: a line for each would fill the disk of a flooded node.
    turn.order(TellGallery(Refused(request=text, reason=reason.value)))


def answer_again(turn: Turn, text: str) -> bool:
    """Answer a request that was asked before; returns whether it was."""
    known = next((request for request in turn.state.gallery.requests if request.text == text), None)
    if known is None:
        return False
    if known.refused is not None:
        turn.order(TellGallery(Refused(request=text, reason=known.refused.value)))
    elif known.numbered is not None:
        turn.order(TellGallery(_accepted(text, known.numbered)))
    return True  # Not numbered yet: the answer comes when it is.


def numbered(turn: Turn, draft: int, alert: Alert) -> None:
    """A draft has become an alert: its request is answered, again if central made it take another number."""
    for request in turn.state.gallery.requests:
        if request.draft == draft:
            _keep(turn, request, replace(request, numbered=alert))
            turn.order(TellGallery(_accepted(request.text, alert)))


def not_numbered(turn: Turn, draft: int) -> None:
    """The disk refuses it, and it has no number: nothing is sent yet. It is tried on, like a press."""
    for request in turn.state.gallery.requests:
        if request.draft == draft and request.numbered is None:
            turn.order(TellGallery(Refused(request=request.text, reason=NotRaised.NOT_STORED.value)))


def renewed(turn: Turn, alert: FrameId, draft: int) -> None:
    """An alert is stored again under another number."""
    for request in turn.state.gallery.requests:
        if request.numbered is not None and request.numbered.id == alert:
            _keep(turn, request, replace(request, draft=draft))


def _keep(turn: Turn, before: Request, after: Request) -> None:
    gallery = turn.state.gallery
    requests = tuple(after if request is before else request for request in gallery.requests)
    turn.state.gallery = replace(gallery, requests=requests)


def _accepted(text: str, alert: Alert) -> Accepted:
    return Accepted(request=text, incident=alert.incident_id.text, alert=alert.id.text)
