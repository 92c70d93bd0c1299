"""Somebody looks at the gallery on this unit's panel: when that may be, and what ends it.

The panel is lent, never given away. What the gallery shows stands in the place of the idle face alone, and any alert
takes it back in the same step. Attack and assist are no keys of it, so they do here what they always do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from node.core.effects import TellGallery
from node.core.events import PanelFaceCame
from node.core.gallery_state import Visit
from node.core.incident.hush import is_hushed
from node.core.panel.view import own_to_show
from node.core.press.presses import Wish
from node.core.screens import Face, Picture, Screen
from node.core.state import NodeState
from node.core.turn import Timer, Turn
from wire.gallery_socket import PanelKey, PanelVisit, VisitOver
from wire.ids import U32_MAX

IDLE_MS: Final = 60_000
"""A visit in which nobody presses anything for so long is over."""
_KEYS: Final = {Wish.SEEN: "up", Wish.RESPONDING: "next", Wish.TEST: "press", Wish.CANCEL_TOO_SHORT: "back"}


def pressed(turn: Turn, wish: Wish) -> bool:
    """Whether a press was meant for the gallery; then it is told."""
    visit = turn.state.gallery.visit
    if visit is None:
        return wish is Wish.SEEN and _begin(turn)
    if wish is Wish.CANCEL:
        _end(turn, visit)
        return not is_hushed(turn.state, turn.now_ms)  # It takes the silent attack back, too.
    key = _KEYS.get(wish)
    if key is None:
        return False
    _keep(turn, replace(visit, used_ms=turn.now_ms))
    turn.order(TellGallery(PanelKey(visit=visit.number, key=key)))  # type: ignore[arg-type]  # of the four
    return True


def came(turn: Turn, *, is_here: bool) -> None:
    """The gallery has connected anew, or is gone: whatever it showed is over."""
    turn.state.gallery = replace(turn.state.gallery, is_here=is_here, visit=None)


def face_came(turn: Turn, event: PanelFaceCame) -> None:
    """What it shows. Of a visit that is over, or of another size than the place, it is left out."""
    visit, place = turn.state.gallery.visit, turn.settings.picture_place
    if visit is None or event.visit != visit.number or place is None:
        return
    if event.is_over:
        _keep(turn, None)
        return
    if event.pixels and len(event.pixels) != place.bytes_count:
        turn.reject("gallery picture")
        return
    if event.pixels:
        screen = Screen(Face.GALLERY, (), picture=Picture(place, event.pixels, event.lines))
    else:
        first, second = (*event.lines, "", "")[:2]
        screen = Screen(Face.GALLERY, event.headline, (first, second))
    _keep(turn, replace(visit, screen=screen))


def settle(turn: Turn) -> None:
    """At the end of a step, once it is decided who has the panel: an alert ends the visit."""
    visit = turn.state.gallery.visit
    if visit is not None and (turn.state.view.is_own or turn.state.view.neighbour is not None):
        _end(turn, visit)


def timers(state: NodeState) -> Iterator[Timer]:
    """The end of a visit that nobody uses."""
    visit = state.gallery.visit
    if visit is not None:
        yield visit.used_ms + IDLE_MS, lambda turn: _end(turn, visit)


def _begin(turn: Turn) -> bool:
    state, place = turn.state, turn.settings.picture_place
    if not state.gallery.is_here or place is None or not state.is_started:
        return False
    if state.neighbours or is_hushed(state, turn.now_ms) or own_to_show(state, turn.now_ms) is not None:
        return False
    number = state.gallery.visits % U32_MAX + 1
    turn.state.gallery = replace(state.gallery, visits=number, visit=Visit(number, turn.now_ms))
    turn.order(
        TellGallery(PanelVisit(visit=number, width_px=place.width_px, height_px=place.height_px, mode=place.mode.value))
    )
    return True


def _end(turn: Turn, visit: Visit) -> None:
    _keep(turn, None)
    turn.order(TellGallery(VisitOver(visit=visit.number)))


def _keep(turn: Turn, visit: Visit | None) -> None:
    turn.state.gallery = replace(turn.state.gallery, visit=visit)
