"""The lamp: what it shows is what the panel tells of (N4, docs/screen.md)."""

from __future__ import annotations

from typing import Final

from node.core.controls import LedPattern
from node.core.effects import SetLed
from node.core.incident.hush import faults_to_tell
from node.core.state import CancelProgress, Incident
from node.core.table import PathPhase, Phase
from node.core.turn import Turn

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


def settle(turn: Turn, shown_own: Incident | None) -> None:
    """At the end of a step: set it, if it is to show something else."""
    led = _led(turn, shown_own)
    if led is not turn.state.led:
        turn.state.led = led
        turn.order(SetLed(led))


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
