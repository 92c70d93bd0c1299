"""What the panel says, from what is known: the faces of look.md as values. Decides nothing, remembers nothing.

Every face says only what is proven: *saved* after the disk's word, *received* after central's, a name after a person's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from node.core import presses
from node.core.controls import Button, Part
from node.core.neighbour_faces import neighbour_face
from node.core.own_faces import next_second_ms, own_face
from node.core.screens import Dots, Face, Screen
from node.core.signals import faults_to_tell, hushed_until_ms, is_hushed, silent_incident
from node.core.state import Incident, Neighbour, NodeState, wall_at_s
from node.core.table import UNSETTLED, PathPhase, Phase
from node.core.words import USE_RADIO, clock, line, on_duty

_MS_PER_MINUTE: Final = 60_000
_PART_WORDS: Final = {
    Part.OLED: "Screen fault",
    Part.SOUNDER: "Sounder fault",
    Part.LED: "Lamp fault",
    Part.STORE: "Storage fault",
    Part.NETWORK: "Network part fault",
    Part.CLOCK: "Clock fault",
}
_SILENT_DOTS: Final = {
    Phase.DRAFTED: Dots.NONE,
    Phase.REFUSED: Dots.UNDELIVERED,
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
        own: our incident that has something to tell, :func:`node.core.view.own_to_show`.
        now_ms: the present moment.
    """
    if not state.is_started:
        return None
    if state.is_stopping:
        return Screen(Face.STOPPING, ("STOPPING",), ("Buttons do not work", USE_RADIO))
    face = _idle(state, now_ms)
    neighbour = _on_display(state)
    is_telling = own is not None and own.phase in UNSETTLED
    if neighbour is not None:
        face = neighbour_face(state, neighbour, now_ms)
    if own is not None and state.view.is_own:
        face = own_face(state, own, now_ms) or state.screen or face
    if state.hint is not None and not is_telling and not is_hushed(state, now_ms):
        face = Screen(Face.HINT, (state.hint.headline,), state.hint.lines)
    return _dotted(face, silent_incident(state))


def next_moment_ms(state: NodeState, own: Incident | None, now_ms: int) -> int | None:
    """When :func:`compose` would say something else although nothing happened."""
    if not state.is_started:
        return None
    timing = state.settings.timing
    moments: list[int] = []
    if state.hint is not None:
        moments.append(state.hint.until_ms)
    if own is not None:
        if own.phase is Phase.DRAFTED and own.pressed_ms is not None:
            moments.append(own.pressed_ms + timing.saving_shown_ms)
        if own.phase is Phase.ON_AIR and state.view.is_own:
            moments.append(next_second_ms(own, now_ms))
        moments.append(own.changed_ms + timing.outcome_shown_ms)
    hushed_until = hushed_until_ms(state)
    if hushed_until is not None:
        moments.append(hushed_until)
    for neighbour in state.neighbours:
        moments.append(neighbour.arrived_ms + timing.neighbour_inverted_ms)
        moments.append(neighbour.arrived_ms + timing.neighbour_shown_ms)
    if state.central.path is not PathPhase.PROVEN:
        moments.append(state.started_ms + timing.boot_shown_ms)
    wall_ms = _wall_ms(state, now_ms)
    is_clock_shown = state.screen is not None and state.screen.face in (Face.READY, Face.SILENT)
    if wall_ms is not None and is_clock_shown:
        moments.append(now_ms + _MS_PER_MINUTE - wall_ms % _MS_PER_MINUTE)
    return min((moment for moment in moments if moment > now_ms), default=None)


def _wall_ms(state: NodeState, now_ms: int) -> int | None:
    return state.clock.offset_ms + now_ms if wall_at_s(state, now_ms) and state.clock.offset_ms is not None else None


def _on_display(state: NodeState) -> Neighbour | None:
    return next((n for n in state.neighbours if n.incident == state.view.neighbour), None)


def _idle(state: NodeState, now_ms: int) -> Screen:
    told = faults_to_tell(state, now_ms)
    return _cannot_alert(state, told) or _no_path(state, now_ms) or _ready(state, told, now_ms)


def _cannot_alert(state: NodeState, told: tuple[Part, ...]) -> Screen | None:
    """Pressing would not help: said before everything else."""
    stuck = presses.stuck(state.buttons)
    if Part.STORE in told and state.is_store_refusing:
        trouble = "Alerts are NOT saved"
    elif Part.STORE in told and state.is_store_refusing is None:
        trouble = "Storage fault"
    elif Part.BUTTONS in told:
        trouble = "Buttons do not work"
    elif Button.ATTACK in stuck or Button.ASSIST in stuck:
        trouble = f"{'ATTACK' if Button.ATTACK in stuck else 'ASSIST'} button is stuck"
    else:
        return None
    return Screen(Face.FAULT, ("FAULT",), (trouble, USE_RADIO))


def _no_path(state: NodeState, now_ms: int) -> Screen | None:
    """Central is not heard. There is no radio path yet that alerts could go by, so none is promised."""
    central = state.central
    if central.path is PathPhase.PROVEN:
        return None
    if central.is_refused:
        return Screen(Face.FAULT, ("NO LINK",), ("Unit refused: call us", USE_RADIO))
    if now_ms - state.started_ms < state.settings.timing.boot_shown_ms and not central.boot_id:
        return Screen(Face.BOOT, ("STARTING",), (line(f"Watchlink {state.settings.version}"), "Looking for central"))
    return Screen(Face.FAULT, ("NO LINK",), ("Alerts are saved here", USE_RADIO))


def _ready(state: NodeState, told: tuple[Part, ...], now_ms: int) -> Screen:
    duty = on_duty(state.central.on_duty) if state.central.on_duty is not None else "On duty: not known"
    stuck = presses.stuck(state.buttons)
    faults = [_PART_WORDS[part] for part in told if part in _PART_WORDS]
    faults += [f"{button.upper()} button stuck" for button in stuck]
    if faults:
        return Screen(Face.FAULT, ("READY!",), (line(faults[0]), duty))
    return Screen(Face.READY, ("READY",), (f"{clock(state, wall_at_s(state, now_ms))}  Net✓", duty), is_dim=True)


def _dotted(face: Screen, silent: Incident | None) -> Screen:
    """The dots tell of a silent attack, on whatever face there is (N4)."""
    if silent is None:
        return face
    dots = _SILENT_DOTS.get(silent.phase, Dots.NONE)
    if silent.phase is Phase.CANCELLED:
        dots = Dots.SAVED if silent.waiting else Dots.RECEIVED
    is_marked = face.face is Face.READY and dots is not Dots.NONE
    return replace(face, face=Face.SILENT if is_marked else face.face, dots=dots)
