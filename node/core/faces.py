"""What the panel says, from what is known: the faces of look.md as values. Decides nothing, remembers nothing.

Every face says only what is proven: *saved* after the disk's word, *received* after central's, a name after a person's.
"""

from __future__ import annotations

from typing import Final

from node.core import presses
from node.core.controls import Button, Part
from node.core.screens import Dots, Emphasis, Face, Screen
from node.core.signals import silent_incident
from node.core.state import CancelProgress, Incident, Neighbour, NodeState, wall_at_s
from node.core.table import UNSETTLED, PathPhase, Phase
from node.core.words import KIND_WORDS, clock, fullest, line, on_duty, person, span
from wire.kinds import PRIORITY, AlertKind, AnswerState, MemberResponse

USE_RADIO: Final = "Use radio or call 999"
_MS_PER_MINUTE: Final = 60_000
_PART_WORDS: Final = {
    Part.OLED: "Screen fault",
    Part.SOUNDER: "Sounder fault",
    Part.LED: "Lamp fault",
    Part.NETWORK: "Network part fault",
    Part.CLOCK: "Clock fault",
}
_SILENT_DOTS: Final = {
    Phase.DRAFTED: Dots.NONE,
    Phase.REFUSED: Dots.UNDELIVERED,
    Phase.STORED: Dots.SAVED,
    Phase.PUBLISHED: Dots.SAVED,
    Phase.UNDELIVERED: Dots.UNDELIVERED,
    Phase.RECEIVED: Dots.RECEIVED,
    Phase.ANSWERED: Dots.ANSWERED,
    Phase.ON_THE_WAY: Dots.ANSWERED,
}


def compose(state: NodeState, own: Incident | None, now_ms: int) -> Screen | None:
    """The screen as it should be now; ``None`` before the start.

    Args:
        own: our incident that has something to tell, :func:`node.core.view.own_to_show`.
    """
    if not state.is_started:
        return None
    if state.is_stopping:
        return Screen(Face.STOPPING, ("STOPPING",), ("Buttons do not work", USE_RADIO))
    neighbour = next((n for n in state.neighbours if n.incident == state.view.neighbour), None)
    silent = silent_incident(state, now_ms)
    if silent is not None:
        return _silent(state, silent, neighbour, now_ms)
    is_telling = own is not None and own.phase in UNSETTLED
    if state.hint is not None and now_ms < state.hint.until_ms and not is_telling:
        return Screen(Face.HINT, (state.hint.headline,), state.hint.lines)
    if own is not None and state.view.is_own:
        return _own(state, own, now_ms) or _idle(state, now_ms)
    if neighbour is not None:
        return _neighbour(state, neighbour, now_ms)
    return _idle(state, now_ms)


def next_moment_ms(state: NodeState, own: Incident | None, now_ms: int) -> int | None:
    """When :func:`compose` would say something else although nothing happened."""
    timing = state.settings.timing
    moments: list[int] = []
    if state.hint is not None:
        moments.append(state.hint.until_ms)
    if own is not None:
        if own.phase is Phase.DRAFTED and own.pressed_ms is not None:
            moments.append(own.pressed_ms + timing.saving_shown_ms)
        moments.append(own.changed_ms + timing.outcome_shown_ms)
    silent = silent_incident(state, now_ms)
    if silent is not None:
        since_ms = silent.changed_ms if silent.pressed_ms is None else silent.pressed_ms
        moments.append(since_ms + timing.silent_quiet_ms)
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


def _idle(state: NodeState, now_ms: int) -> Screen:
    stuck = presses.stuck(state.buttons)
    if Part.STORE in state.faults:
        return Screen(Face.FAULT, ("FAULT",), ("Alerts are NOT saved", USE_RADIO))
    if Part.BUTTONS in state.faults:
        return Screen(Face.FAULT, ("FAULT",), ("Buttons do not work", USE_RADIO))
    if Button.ATTACK in stuck or Button.ASSIST in stuck:
        name = "ATTACK" if Button.ATTACK in stuck else "ASSIST"
        return Screen(Face.FAULT, ("FAULT",), (f"{name} button is stuck", USE_RADIO))
    if state.central.path is not PathPhase.PROVEN:
        is_starting = now_ms - state.started_ms < state.settings.timing.boot_shown_ms and not state.central.boot_id
        if is_starting and not state.central.is_refused:
            return Screen(
                Face.BOOT, ("STARTING",), (line(f"Watchlink {state.settings.version}"), "Looking for central")
            )
        said = "Refused: tell engineer" if state.central.is_refused else "Alerts are saved here"
        return Screen(Face.FAULT, ("NO LINK",), (line(said), USE_RADIO))
    now = clock(state, wall_at_s(state, now_ms))
    duty = on_duty(state.central.on_duty) if state.central.on_duty is not None else "On duty: not known"
    fault = next((_PART_WORDS[part] for part in state.faults if part in _PART_WORDS), "")
    fault = fault or (f"{stuck[0].upper()} button stuck" if stuck else "")
    if fault:
        return Screen(Face.FAULT, ("READY!",), (line(fault), duty))
    return Screen(Face.READY, ("READY",), (f"{now}  Net✓", duty), is_dim=True)


def _silent(state: NodeState, silent: Incident, neighbour: Neighbour | None, now_ms: int) -> Screen:
    """The idle face, or the neighbour's that was there before, and the dots (N4)."""
    dots = _SILENT_DOTS.get(silent.phase, Dots.RECEIVED)
    if silent.phase is Phase.CANCELLED and silent.waiting:
        dots = Dots.SAVED
    face = _idle(state, now_ms) if neighbour is None else _neighbour(state, neighbour, now_ms)
    is_idle = face.face is Face.READY and dots is not Dots.NONE
    concerns = face.concerns if neighbour is not None else ""
    return Screen(
        Face.SILENT if is_idle else face.face,
        face.headline,
        face.lines,
        Emphasis.FRAMED if face.emphasis is Emphasis.INVERTED and not neighbour else face.emphasis,
        face.priority,
        dots,
        face.is_dim,
        concerns,
    )


def _own(state: NodeState, own: Incident, now_ms: int) -> Screen | None:
    priority = PRIORITY[own.latest_kind]
    concerns = f"{state.settings.node:08x}-{own.latest or own.key}" if own.key > 0 else ""
    pressed = line(f"{KIND_WORDS[own.latest_kind]} {clock(state, own.pressed_at_s, with_seconds=True)}")

    def face(face: Face, headline: tuple[str, ...], line_1: str, line_2: str, *, is_inverted: bool = False) -> Screen:
        emphasis = Emphasis.INVERTED if is_inverted else Emphasis.PLAIN
        return Screen(face, headline, (line_1, line_2), emphasis, priority, concerns=concerns)

    match own.phase:
        case Phase.DRAFTED:
            is_slow = own.pressed_ms is None or now_ms - own.pressed_ms >= state.settings.timing.saving_shown_ms
            return face(Face.SENDING, ("PRESSED",), pressed, "Saving") if is_slow else state.screen
        case Phase.REFUSED:
            return face(Face.NOT_STORED, ("NOT", "SAVED"), "", USE_RADIO, is_inverted=True)
        case Phase.UNDELIVERED:
            return face(Face.UNDELIVERED, ("NOT", "DELIVERED"), "", USE_RADIO, is_inverted=True)
        case Phase.STORED | Phase.PUBLISHED:
            if state.central.path is PathPhase.DOWN:
                return face(Face.STORED, ("TRYING",), "Not received yet", "Saved, no network")
            return face(Face.SENDING, ("SENDING",), pressed, "Saved on this unit")
        case Phase.RECEIVED:
            return face(Face.RECEIVED, ("RECEIVED",), *_received(state, own))
        case Phase.ANSWERED:
            return face(Face.ANSWERED, ("ANSWERED",), *_answered(state, own))
        case Phase.ON_THE_WAY:
            return face(Face.ON_THE_WAY, ("COMING",), *_answered(state, own))
        case Phase.CANCELLED:
            return face(Face.CANCELLED, *_cancelled(own))
        case Phase.CLOSED:
            closer = own.answer if own.answer is not None and own.answer.state is AnswerState.CLOSED else None
            by = fullest(f"by {person(closer.role, closer.name)}", person(closer.role, closer.name)) if closer else ""
            at = clock(state, wall_at_s(state, own.changed_ms))
            return face(Face.CLOSED, ("CLOSED",), by or "by central", f"at {at}")


def _received(state: NodeState, own: Incident) -> tuple[str, str]:
    by = "by central, LATE" if own.is_late else "by central system"
    if own.kind is AlertKind.TEST:
        return line(f"TEST {by}"), "No radio path yet"
    if own.is_restored:
        return by, "No news since restart"
    if own.members:
        return by, _member(own)
    if state.central.on_duty == ():
        return by, "NOBODY ON DUTY"
    return by, "No one answered yet"


def _answered(state: NodeState, own: Incident) -> tuple[str, str]:
    answer = own.answer
    if answer is None:
        return "by central", ""
    who = person(answer.role, answer.name)
    if own.members:
        return who, _member(own)
    at_s = answer.at_s or wall_at_s(state, answer.heard_ms)
    if own.phase is Phase.ON_THE_WAY:
        return who, f"on the way {clock(state, at_s)}"
    at = clock(state, at_s, with_seconds=True)
    return who, at if own.pressed_ms is None else line(f"{at} after {span(answer.heard_ms - own.pressed_ms)}")


def _member(own: Incident) -> str:
    """The newest who is coming, else the newest who has seen it; others are counted."""
    coming = [m for m in own.members if m.response is MemberResponse.RESPONDING]
    chosen, word = (coming[-1], "coming") if coming else (own.members[-1], "seen")
    others = f" +{len(own.members) - 1}" if len(own.members) > 1 else ""
    room = 21 - len(word) - len(others) - 1
    name = chosen.premises if len(chosen.premises) <= room else f"{chosen.premises[: room - 1].rstrip()}…"
    return line(f"{name} {word}{others}")


def _cancelled(own: Incident) -> tuple[tuple[str, ...], str, str]:
    if own.cancel is CancelProgress.RECEIVED:
        return ("CANCEL", "RECEIVED"), "", "Still open at central"
    return ("CANCEL", "SAVED"), "", "Central not told yet"


def _neighbour(state: NodeState, neighbour: Neighbour, now_ms: int) -> Screen:
    where = fullest(f"{neighbour.premises}, {neighbour.place}" if neighbour.place else "", neighbour.premises)
    if not where:
        where = neighbour.premises
    is_new = now_ms - neighbour.arrived_ms < state.settings.timing.neighbour_inverted_ms
    is_loud = is_new and not neighbour.is_late and not neighbour.cancel_counter
    return Screen(
        Face.NEIGHBOUR,
        ("DRILL" if neighbour.is_drill else KIND_WORDS[neighbour.kind],),
        (line(where or neighbour.incident.text), _neighbour_news(state, neighbour)),
        Emphasis.INVERTED if is_loud else Emphasis.FRAMED,
        PRIORITY[neighbour.kind],
        concerns=neighbour.alert.text,
    )


def _neighbour_news(state: NodeState, neighbour: Neighbour) -> str:
    others = len(state.neighbours) - 1
    at = clock(state, neighbour.at_s)
    at = f"{at}+{min(others, 9)}" if others else at
    if neighbour.cancel_counter:
        return "Cancelled by shop"
    if neighbour.answer is not None:
        word = "COMING" if neighbour.answer.state is AnswerState.ON_THE_WAY else "ANSWERED"
        return fullest(f"{word} {person(neighbour.answer.role, neighbour.answer.name)}", f"{at} {word}")
    if neighbour.is_late:
        return fullest(f"LATE {at} ▲Seen", f"LATE {at}")
    if neighbour.response is MemberResponse.RESPONDING:
        return f"{at} You: coming"
    if neighbour.response is MemberResponse.SEEN:
        return f"{at} Seen ►Coming"
    if neighbour.is_drill:
        return line(f"{at} {KIND_WORDS[neighbour.kind]} drill")
    return f"{at} ▲Seen ►Coming"
