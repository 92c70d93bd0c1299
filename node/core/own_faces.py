"""The presser's own faces: what is true of one incident of ours, phase by phase (N3, N6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from node.core.screens import LINE_CHARS_MAX, Emphasis, Face, Screen
from node.core.state import CancelProgress, Incident, NodeState, wall_at_s
from node.core.table import PathPhase, Phase
from node.core.words import KIND_WORDS, USE_RADIO, clock, line, person, span
from wire.ids import FrameId
from wire.kinds import PRIORITY, AlertKind, AnswerState, MemberResponse

_Words = tuple[Face, tuple[str, ...], str, str]
_MS_PER_SECOND: Final = 1_000
_ON_THE_RADIO: Final = "By radio now"
_INVERTED: Final = frozenset({Phase.REFUSED, Phase.UNDELIVERED})


def own_face(state: NodeState, own: Incident, now_ms: int) -> Screen | None:
    """Its face; ``None`` for the first moment of a press, in which the disk is about to answer."""
    is_young = own.pressed_ms is not None and now_ms - own.pressed_ms < state.settings.timing.saving_shown_ms
    if own.phase is Phase.DRAFTED and is_young:
        return None
    if own.phase is Phase.ON_AIR:
        face, headline, line_1, line_2 = _on_air(own, now_ms)
    else:
        face, headline, line_1, line_2 = _FACES[own.phase](state, own)
    return Screen(
        face,
        headline,
        (line_1, line_2),
        Emphasis.INVERTED if own.phase in _INVERTED else Emphasis.PLAIN,
        PRIORITY[own.latest_kind],
        concerns=FrameId(state.settings.node, own.latest or own.key).text if own.key > 0 else "",
    )


def next_second_ms(own: Incident, now_ms: int) -> int:
    """When the seconds that ON_AIR counts go on by one."""
    since_ms = _counted_from_ms(own)
    return since_ms + ((now_ms - since_ms) // _MS_PER_SECOND + 1) * _MS_PER_SECOND


def _counted_from_ms(own: Incident) -> int:
    return own.changed_ms if own.pressed_ms is None else own.pressed_ms


def _pressed(state: NodeState, own: Incident) -> str:
    return line(f"{KIND_WORDS[own.latest_kind]} {clock(state, own.pressed_at_s, with_seconds=True)}")


def _drafted(state: NodeState, own: Incident) -> _Words:
    return Face.SENDING, ("PRESSED",), _pressed(state, own), "Saving"


def _refused(_state: NodeState, _own: Incident) -> _Words:
    return Face.NOT_STORED, ("NOT", "SAVED"), "", USE_RADIO


def _sending(state: NodeState, own: Incident) -> _Words:
    if state.central.path is PathPhase.DOWN:
        return Face.STORED, ("TRYING",), "Not received yet", "Saved, no network"
    return Face.SENDING, ("SENDING",), _pressed(state, own), "Saved on this unit"


def _on_air(own: Incident, now_ms: int) -> _Words:
    since = span(now_ms - _counted_from_ms(own))
    return (
        Face.STORED,
        ("TRYING",),
        "Not received yet",
        _ON_THE_RADIO + since.rjust(LINE_CHARS_MAX - len(_ON_THE_RADIO)),
    )


def _undelivered(_state: NodeState, _own: Incident) -> _Words:
    return Face.UNDELIVERED, ("NOT", "DELIVERED"), "", USE_RADIO


def _received(state: NodeState, own: Incident) -> _Words:
    by = "by central, LATE" if own.is_late else "by central system"
    if own.is_restored:
        news = "No news since restart"
    elif own.kind is AlertKind.TEST:
        by, news = "TEST reached central", _pressed(state, own)
    elif own.members:
        news = _member(own)
    elif state.central.on_duty == ():
        news = "NOBODY ON DUTY"
    else:
        news = "No one answered yet"
    return Face.RECEIVED, ("RECEIVED",), by, news


def _answered(state: NodeState, own: Incident) -> _Words:
    who, at_s, after = _answerer(state, own)
    news = f"{clock(state, at_s, with_seconds=True)}{after}"
    return Face.ANSWERED, ("ANSWERED",), who, _member(own) if own.members else line(news)


def _on_the_way(state: NodeState, own: Incident) -> _Words:
    who, at_s, _ = _answerer(state, own)
    news = f"on the way {clock(state, at_s)}"
    return Face.ON_THE_WAY, ("COMING",), who, _member(own) if own.members else news


def _cancelled(_state: NodeState, own: Incident) -> _Words:
    if own.cancel is CancelProgress.RECEIVED:
        return Face.CANCELLED, ("CANCEL", "RECEIVED"), "", "Still open at central"
    return Face.CANCELLED, ("CANCEL", "SAVED"), "", "Central not told yet"


def _closed(state: NodeState, own: Incident) -> _Words:
    by, news = "by central", f"heard at {clock(state, wall_at_s(state, own.changed_ms))}"
    if own.answer is not None and own.answer.state is AnswerState.CLOSED:
        by = person(own.answer.role, own.answer.name, before="by")
        news = f"at {clock(state, own.answer.at_s)}" if own.answer.at_s else news
    return Face.CLOSED, ("CLOSED",), by, news


def _answerer(state: NodeState, own: Incident) -> tuple[str, int, str]:
    answer = own.answer
    if answer is None:
        return "by central", 0, ""
    if own.pressed_ms is None:
        return person(answer.role, answer.name), answer.at_s or wall_at_s(state, answer.heard_ms), ""
    after_ms = answer.heard_ms - own.pressed_ms
    if answer.at_s and own.pressed_at_s:
        # It may have been given long before the network let us hear of it.
        after_ms = min(after_ms, 1000 * max(0, answer.at_s - own.pressed_at_s))
    after = f" after {span(after_ms)}"
    return person(answer.role, answer.name), answer.at_s or wall_at_s(state, answer.heard_ms), after


def _member(own: Incident) -> str:
    """The newest who is coming, else the newest who has seen it; others are counted."""
    coming = [m for m in own.members if m.response is MemberResponse.RESPONDING]
    chosen, word = (coming[-1], "coming") if coming else (own.members[-1], "seen")
    others = f" +{len(own.members) - 1}" if len(own.members) > 1 else ""
    room = LINE_CHARS_MAX - len(f" {word}{others}")
    name = chosen.premises if len(chosen.premises) <= room else f"{chosen.premises[: room - 1].rstrip()}…"
    return line(f"{name} {word}{others}")


_FACES: Final[dict[Phase, Callable[[NodeState, Incident], _Words]]] = {
    Phase.DRAFTED: _drafted,
    Phase.REFUSED: _refused,
    Phase.STORED: _sending,
    Phase.PUBLISHED: _sending,
    Phase.UNDELIVERED: _undelivered,
    Phase.RECEIVED: _received,
    Phase.ANSWERED: _answered,
    Phase.ON_THE_WAY: _on_the_way,
    Phase.CANCELLED: _cancelled,
    Phase.CLOSED: _closed,
}
