"""A neighbour's alert on our panel (N5): who, where, when, what came of it, and what our two buttons do."""

from __future__ import annotations

from typing import Final

from node.core.screens import Emphasis, Face, Screen
from node.core.state import Neighbour, NodeState
from node.core.words import KIND_WORDS, clock, fullest, line, person
from wire.kinds import PRIORITY, AnswerState, MemberResponse

_COUNTED_MAX: Final = 9


def neighbour_face(state: NodeState, neighbour: Neighbour, now_ms: int) -> Screen:
    """Inverted for its first minute or until answered from here, then framed; late or cancelled ones never (N13)."""
    is_new = now_ms - neighbour.arrived_ms < state.settings.timing.neighbour_inverted_ms
    is_handled = neighbour.is_late or neighbour.cancel_counter or neighbour.response is not None
    return Screen(
        Face.NEIGHBOUR,
        ("DRILL" if neighbour.is_drill else KIND_WORDS[neighbour.kind],),
        (_where(neighbour), _news(state, neighbour)),
        Emphasis.INVERTED if is_new and not is_handled else Emphasis.FRAMED,
        PRIORITY[neighbour.kind],
        concerns=neighbour.alert.text,
    )


def _where(neighbour: Neighbour) -> str:
    name = neighbour.premises or neighbour.incident.text
    return fullest(f"{name}, {neighbour.place}", name) if neighbour.place else line(name)


def _news(state: NodeState, neighbour: Neighbour) -> str:
    at = clock(state, neighbour.at_s)
    others = min(len(state.neighbours) - 1, _COUNTED_MAX)
    at = f"{at}+{others}" if others else at
    answer = neighbour.answer
    if neighbour.cancel_counter:
        return "Cancelled by shop"
    if answer is not None:
        word = "COMING" if answer.state is AnswerState.ON_THE_WAY else "ANSWERED"
        return person(answer.role, answer.name, before=word)
    if neighbour.is_late:
        return line(f"LATE {at}{_said(neighbour) or ' ▲Seen'}")
    if neighbour.is_drill:
        return line(f"{at} {KIND_WORDS[neighbour.kind]} drill")
    return line(f"{at}{_said(neighbour) or ' ▲Seen ►Coming'}")


def _said(neighbour: Neighbour) -> str:
    """What was pressed here, and what may still be pressed."""
    if neighbour.response is MemberResponse.RESPONDING:
        return " Coming" if neighbour.is_late else " You: coming"
    if neighbour.response is MemberResponse.SEEN:
        return " Seen" if neighbour.is_late else " Seen ►Coming"
    return ""
