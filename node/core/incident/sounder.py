"""The sounder: starts and stops patterns, and decides which is justified now (N4)."""

from __future__ import annotations

from typing import Final

from node.core.controls import SoundPattern
from node.core.effects import PlaySound
from node.core.incident.hush import is_hushed
from node.core.state import Incident, Neighbour, Sounding
from node.core.table import Phase
from node.core.turn import Turn
from wire.kinds import AlertKind

_RANK: Final = {
    SoundPattern.OFF: 0,
    SoundPattern.CONFIRM: 1,
    SoundPattern.NOTICE: 2,
    SoundPattern.ASSIST: 3,
    SoundPattern.ATTACK: 4,
    SoundPattern.UNDELIVERED: 5,
}
_SHORT_MS: Final = 3_000
"""NOTICE and CONFIRM end within this."""
_SHORT: Final = frozenset({SoundPattern.NOTICE, SoundPattern.CONFIRM})

_NEIGHBOUR_SOUNDS: Final = {
    AlertKind.ATTACK: SoundPattern.ATTACK,
    AlertKind.ASSIST: SoundPattern.ASSIST,
    AlertKind.DISORDER: SoundPattern.ASSIST,
}


def play_for_own(turn: Turn, incident: Incident, pattern: SoundPattern) -> None:
    """Play it for the presser, unless a silent attack forbids it."""
    if not incident.is_silent:
        _play(turn, Sounding(pattern, _until_ms(turn, pattern), own=incident.key))


def play_for_neighbour(turn: Turn, neighbour: Neighbour) -> None:
    """Play the warning for a neighbour's kind of alert."""
    pattern = _NEIGHBOUR_SOUNDS.get(neighbour.kind, SoundPattern.NOTICE)
    _play(turn, Sounding(pattern, _until_ms(turn, pattern), neighbour=neighbour.incident))


def rename_own(turn: Turn, old_key: int, new_key: int) -> None:
    """An incident's key has changed to its counter."""
    playing = turn.state.sounding
    if playing is not None and playing.own == old_key:
        turn.state.sounding = Sounding(playing.pattern, playing.until_ms, own=new_key)


def settle(turn: Turn) -> None:
    """At the end of a step: stop what is no longer justified."""
    playing = turn.state.sounding
    if playing is not None and not _is_justified(turn, playing):
        turn.state.sounding = None
        turn.order(PlaySound(SoundPattern.OFF))


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
            and (not n.is_late or n.is_late_and_urgent)
            for n in turn.state.neighbours
        )
    if playing.pattern is not SoundPattern.UNDELIVERED:
        return True
    incident = turn.state.incidents.get(playing.own)
    if incident is None or incident.phase not in (Phase.REFUSED, Phase.UNDELIVERED):
        return False
    return incident.phase is Phase.REFUSED or not incident.is_somebody_coming
