"""Sounder and LED: which pattern is justified now. Patterns are started here and stopped here (N4, look.md)."""

from __future__ import annotations

from typing import Final

from node.core.controls import LedPattern, Part, SoundPattern
from node.core.effects import PlaySound, SetLed
from node.core.neighbours import is_late_and_urgent
from node.core.state import CancelProgress, Incident, Neighbour, NodeState, Sounding
from node.core.table import PathPhase, Phase
from node.core.turn import Turn
from wire.kinds import AlertKind, MemberResponse

_RANK: Final = {
    SoundPattern.OFF: 0,
    SoundPattern.CONFIRM: 1,
    SoundPattern.NOTICE: 2,
    SoundPattern.ASSIST: 3,
    SoundPattern.ATTACK: 4,
    SoundPattern.UNDELIVERED: 5,
}
_PRESSED: Final = frozenset({Part.STORE, Part.RADIO})
"""Parts that a press puts to work."""
_SHORT_MS: Final = 3_000
"""NOTICE and CONFIRM are over by then."""
_SHORT: Final = frozenset({SoundPattern.NOTICE, SoundPattern.CONFIRM})

_NEIGHBOUR_SOUNDS: Final = {
    AlertKind.ATTACK: SoundPattern.ATTACK,
    AlertKind.ASSIST: SoundPattern.ASSIST,
    AlertKind.DISORDER: SoundPattern.ASSIST,
}

_LEDS: Final = {
    Phase.DRAFTED: LedPattern.SENDING,
    Phase.UNSAVED: LedPattern.SENDING,
    Phase.STORED: LedPattern.SENDING,
    Phase.PUBLISHED: LedPattern.SENDING,
    Phase.ON_AIR: LedPattern.SENDING,
    Phase.REFUSED: LedPattern.UNDELIVERED,
    Phase.UNDELIVERED: LedPattern.UNDELIVERED,
    Phase.RECEIVED: LedPattern.RECEIVED,
    Phase.ANSWERED: LedPattern.ANSWERED,
    Phase.ON_THE_WAY: LedPattern.ANSWERED,
}


def is_somebody_coming(incident: Incident) -> bool:
    """Whether a neighbour has pressed *responding* about it."""
    return any(member.response is MemberResponse.RESPONDING for member in incident.members)


def silent_incident(state: NodeState) -> Incident | None:
    """Our newest silent attack that is not closed, if there is one (N4)."""
    for key in reversed(state.recent):
        incident = state.incidents.get(key)
        if incident is not None and incident.is_silent and incident.phase is not Phase.CLOSED:
            return incident
    return None


def hushed_until_ms(state: NodeState) -> int | None:
    """Until when an offender must be taken to be watching and listening; ``None`` = there is no silent attack."""
    incident = silent_incident(state)
    if incident is None:
        return None
    since_ms = incident.changed_ms if incident.pressed_ms is None else incident.pressed_ms
    return since_ms + state.settings.timing.silent_quiet_ms


def is_hushed(state: NodeState, now_ms: int) -> bool:
    """Whether nothing new may be seen or heard here now."""
    until_ms = hushed_until_ms(state)
    return until_ms is not None and now_ms < until_ms


def was_silent(state: NodeState, at_ms: int) -> bool:
    """Whether a silent attack of ours was going on at that moment, as far as it is on view still."""
    found = (state.incidents.get(key) for key in state.recent)
    silent_ms = (i.pressed_ms or i.changed_ms for i in found if i is not None and i.is_silent)
    return any(since_ms <= at_ms < since_ms + state.settings.timing.silent_quiet_ms for since_ms in silent_ms)


def faults_to_tell(state: NodeState, now_ms: int) -> tuple[Part, ...]:
    """Parts that face and LED may say are broken now.

    A disk or a radio that first fails at a silent press would show the press (N4): its dots alone tell of that.
    """
    pressed_ms = hushed_since_ms(state, now_ms)
    if pressed_ms is None:
        return tuple(state.faults)
    return tuple(p for p, fault in state.faults.items() if p not in _PRESSED or fault.since_ms < pressed_ms)


def is_blocked_to_tell(state: NodeState, now_ms: int) -> bool:
    """Whether an alert has waited for a clear channel for so long that face and LED may say so; never a silent one."""
    radio, since_ms = state.settings.radio, state.radio.blocked_since_ms
    if radio is None or since_ms is None or now_ms - since_ms < radio.timing.blocked_after_ms:
        return False
    pressed_ms = hushed_since_ms(state, now_ms)
    return pressed_ms is None or since_ms < pressed_ms


def hushed_since_ms(state: NodeState, now_ms: int) -> int | None:
    """When the silent press was for which nothing new may be seen now; ``None`` = there is none."""
    until_ms = hushed_until_ms(state)
    return None if until_ms is None or now_ms >= until_ms else until_ms - state.settings.timing.silent_quiet_ms


def play_for_own(turn: Turn, incident: Incident, pattern: SoundPattern) -> None:
    """Tell the presser, unless nobody may hear it."""
    if not incident.is_silent:
        _play(turn, Sounding(pattern, _until_ms(turn, pattern), own=incident.key))


def play_for_neighbour(turn: Turn, neighbour: Neighbour) -> None:
    """Warn of a neighbour's alert by its kind."""
    pattern = _NEIGHBOUR_SOUNDS.get(neighbour.kind, SoundPattern.NOTICE)
    _play(turn, Sounding(pattern, _until_ms(turn, pattern), neighbour=neighbour.incident))


def rename_own(turn: Turn, old_key: int, new_key: int) -> None:
    """An incident has been given its counter."""
    playing = turn.state.sounding
    if playing is not None and playing.own == old_key:
        turn.state.sounding = Sounding(playing.pattern, playing.until_ms, own=new_key)


def settle(turn: Turn, shown_own: Incident | None) -> None:
    """At the end of a step: stop what is no longer justified, and set the LED."""
    playing = turn.state.sounding
    if playing is not None and not _is_justified(turn, playing):
        turn.state.sounding = None
        turn.order(PlaySound(SoundPattern.OFF))
    led = _led(turn, shown_own)
    if led is not turn.state.led:
        turn.state.led = led
        turn.order(SetLed(led))


def _until_ms(turn: Turn, pattern: SoundPattern) -> int:
    return turn.now_ms + (_SHORT_MS if pattern in _SHORT else turn.timing.sound_ms)


def _play(turn: Turn, wanted: Sounding) -> None:
    if is_hushed(turn.state, turn.now_ms):
        return
    playing = turn.state.sounding
    if playing is not None and _is_justified(turn, playing) and _RANK[playing.pattern] > _RANK[wanted.pattern]:
        return
    turn.state.sounding = wanted
    turn.order(PlaySound(wanted.pattern))


def _is_justified(turn: Turn, playing: Sounding) -> bool:
    if turn.now_ms >= playing.until_ms or turn.state.is_stopping:
        return False
    if playing.neighbour is not None:
        return any(
            n.incident == playing.neighbour
            and n.response is None
            and not n.cancel_counter
            and (not n.is_late or is_late_and_urgent(n))
            for n in turn.state.neighbours
        )
    if playing.pattern is not SoundPattern.UNDELIVERED:
        return True
    incident = turn.state.incidents.get(playing.own)
    if incident is None or incident.phase not in (Phase.REFUSED, Phase.UNDELIVERED):
        return False
    return incident.phase is Phase.REFUSED or not is_somebody_coming(incident)


def _led(turn: Turn, shown_own: Incident | None) -> LedPattern:
    state = turn.state
    if state.is_stopping or not state.is_started:
        return LedPattern.OFF
    if shown_own is not None:
        if shown_own.phase is Phase.CANCELLED:
            return LedPattern.RECEIVED if shown_own.cancel is CancelProgress.RECEIVED else LedPattern.SENDING
        if shown_own.phase in _LEDS:
            return _LEDS[shown_own.phase]
    is_well = state.central.path is PathPhase.PROVEN and not faults_to_tell(state, turn.now_ms)
    return LedPattern.READY if is_well else LedPattern.FAULT
