"""The sentence after the bursts (N4, N9): once, the most urgent, and never one that reveals a silent attack."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.core.air import Phrase
from node.core.effects import PrepareSentence
from node.core.gallery_state import Person
from node.core.incident.hush import is_hushed
from node.core.radio import relays
from node.core.radio.path import can_transmit
from node.core.state import NodeState, Row
from node.core.turn import Turn
from wire.frames import Alert, Cancel
from wire.kinds import PRIORITY, AlertKind

SAID_MAX: Final = 16
OTHERS_SPOKE_MS: Final = 60_000
OTHERS_MAX: Final = 1
"""If this many other premises are alerting, no sentence: it would keep the channel from their bursts."""
CANCELLED: Final = 99
"""Rank of a cancel among an incident's sentences: it is spoken whatever was spoken before."""

_PHRASES: Final = {
    AlertKind.ATTACK: Phrase.ATTACK,
    AlertKind.ASSIST: Phrase.ASSIST,
    AlertKind.THEFT: Phrase.THEFT,
    AlertKind.SIGHTING: Phrase.SIGHTING,
    AlertKind.DISORDER: Phrase.DISORDER,
    AlertKind.BREACH: Phrase.BREACH,
    AlertKind.CALL_REQUEST: Phrase.CALL_REQUEST,
    AlertKind.TEST: Phrase.TEST,
}


class Said(Struct, frozen=True):
    """A sentence.

    Attributes:
        phrase: which.
        rank: incident and urgency, to remember once it is spoken.
        reference: of whom it is about, as it is spoken; empty = nobody.
    """

    phrase: Phrase
    rank: tuple[int, int]
    reference: str = ""


def phrase_for(state: NodeState, row: Row, now_ms: int) -> Said | None:
    """The frame's sentence; ``None`` = none."""
    frame = row.signed.frame
    if isinstance(frame, Alert):
        return _alert(state, frame, now_ms)
    return _cancel(state, frame) if isinstance(frame, Cancel) else None


def prepare(turn: Turn, kind: AlertKind, about: Person) -> None:
    """An alert about a person may go by radio: its sentence is made while that waits for the channel."""
    if can_transmit(turn.state) and (reference := spoken(turn.state, about)):
        turn.order(PrepareSentence(_PHRASES[kind], reference))


def spoken(state: NodeState, about: Person) -> str:
    """``HART 42``: anyone can hear it, so it is the reference and nothing else."""
    scheme = state.directory.schemes.get(about.scheme)
    return "" if scheme is None else f"{scheme.slug.upper()} {about.number}"


def _alert(state: NodeState, frame: Alert, now_ms: int) -> Said | None:
    phrase, rank = _PHRASES.get(frame.kind), int(PRIORITY[frame.kind])
    if any(incident == frame.incident and other <= rank for incident, other in state.radio.spoken):
        return None
    if len(relays.alerting(state, now_ms - OTHERS_SPOKE_MS)) >= OTHERS_MAX:
        return None
    if not frame.silent and is_hushed(state, now_ms):
        return None  # Pressed openly, before the silent attack: the offender listens now (N4).
    if frame.silent:
        settings = state.settings.radio
        phrase = Phrase.NEUTRAL if settings is not None and settings.has_neutral_phrase else None
    reference = spoken(state, Person(frame.schemes[0], frame.about)) if frame.about else ""
    return None if phrase is None else Said(phrase, (frame.incident, rank), reference)


def _cancel(state: NodeState, frame: Cancel) -> Said | None:
    """A cancel's sentence: once, and only if the alert was spoken."""
    said = [rank for incident, rank in state.radio.spoken if incident == frame.incident]
    incident = state.incidents.get(frame.incident)
    if not said or CANCELLED in said or incident is None or incident.is_silent:
        return None
    return Said(Phrase.CANCEL, (frame.incident, CANCELLED))
