"""What the panel says, from what is known: its faces as values (docs/screen.md). Decides nothing, remembers nothing.

Every face says only what is proven: *saved* after the disk's word, *received* after central's, a name after a person's.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.incident.hush import hushed_until_ms, is_hushed, silent_incident
from node.core.incident.lifecycle import is_unsaved
from node.core.panel import idle_faces
from node.core.panel.idle_faces import idle_face
from node.core.panel.neighbour_faces import neighbour_face
from node.core.panel.own_faces import next_news_ms, next_second_ms, own_face
from node.core.panel.words import USE_RADIO
from node.core.screens import Dots, Face, Screen
from node.core.state import Incident, Neighbour, NodeState
from node.core.table import UNSETTLED, Phase

_ONE_MOMENT: Final = Screen(Face.GALLERY, ("GALLERY",), ("One moment", ""))
_SILENT_DOTS: Final = {
    Phase.DRAFTED: Dots.NONE,
    Phase.REFUSED: Dots.UNDELIVERED,
    Phase.UNSAVED: Dots.UNDELIVERED,
    Phase.STORED: Dots.SAVED,
    Phase.PUBLISHED: Dots.SAVED,
    Phase.ON_AIR: Dots.SAVED,
    Phase.UNDELIVERED: Dots.UNDELIVERED,
    Phase.RECEIVED: Dots.RECEIVED,
    Phase.ANSWERED: Dots.ANSWERED,
    Phase.ON_THE_WAY: Dots.ANSWERED,
}


def compose(state: NodeState, own: Incident | None, now_ms: int) -> Screen | None:
    """The screen as it should be now; ``None`` before the start.

    Args:
        state: as it is at the end of the step.
        own: our incident that has something to tell, :func:`node.core.panel.view.own_to_show`.
        now_ms: the present moment.
    """
    if not state.is_started:
        return None
    if state.is_stopping:
        return Screen(Face.STOPPING, ("STOPPING",), ("Buttons do not work", USE_RADIO))
    visit = state.gallery.visit
    face = idle_face(state, now_ms) if visit is None else visit.screen or _ONE_MOMENT
    neighbour = _on_display(state)
    is_telling = own is not None and own.phase in UNSETTLED
    if neighbour is not None:
        face = neighbour_face(state, neighbour, now_ms)
    if own is not None and state.view.is_own:
        face = own_face(state, own, now_ms) or state.screen or face
    if state.hint is not None and not is_telling and not is_hushed(state, now_ms):
        face = Screen(Face.HINT, (state.hint.headline,), state.hint.lines)
    return _dotted(state, face, silent_incident(state))


def next_moment_ms(state: NodeState, own: Incident | None, now_ms: int) -> int | None:
    """When :func:`compose` would say something else although nothing happened."""
    if not state.is_started:
        return None
    timing = state.settings.timing
    moments: list[int] = []
    if own is not None:
        if own.phase is Phase.DRAFTED and own.pressed_ms is not None:
            moments.append(own.pressed_ms + timing.saving_shown_ms)
        if own.phase is Phase.ON_AIR and state.view.is_own:
            moments.append(next_second_ms(own, now_ms))
        if own.phase is Phase.RECEIVED and state.view.is_own:
            moments.append(next_news_ms(state, own, now_ms))
        moments.append(own.changed_ms + timing.outcome_shown_ms)
    hushed_until = hushed_until_ms(state)
    if hushed_until is not None:
        moments.append(hushed_until)
    moments += [neighbour.arrived_ms + timing.neighbour_inverted_ms for neighbour in state.neighbours]
    moments += idle_faces.moments_ms(state, now_ms)
    return min((moment for moment in moments if moment > now_ms), default=None)


def _on_display(state: NodeState) -> Neighbour | None:
    return next((n for n in state.neighbours if n.incident == state.view.neighbour), None)


def _dotted(state: NodeState, face: Screen, silent: Incident | None) -> Screen:
    """The dots tell of a silent attack, on whatever face there is (N4)."""
    if silent is None:
        return face
    dots = _SILENT_DOTS.get(silent.phase, Dots.NONE)
    if dots is Dots.SAVED and is_unsaved(state, silent):
        dots = Dots.UNDELIVERED
    if silent.phase is Phase.CANCELLED:
        dots = Dots.SAVED if silent.waiting else Dots.RECEIVED
    is_marked = face.face is Face.READY and dots is not Dots.NONE
    return replace(face, face=Face.SILENT if is_marked else face.face, dots=dots)
