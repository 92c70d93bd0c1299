"""A neighbour's alert on our panel (N5): who, where, when, what came of it, and what our two buttons do."""

from __future__ import annotations

from node.core.panel.words import KIND_WORDS, clock, fullest, line, named, person, reference, where
from node.core.scales import shown_at_s
from node.core.screens import HEADLINE_SMALL_CHARS_MAX, Emphasis, Face, Screen
from node.core.state import Neighbour, NodeState
from wire.kinds import PRIORITY, AnswerState, MemberResponse


def neighbour_face(state: NodeState, neighbour: Neighbour, now_ms: int) -> Screen:
    """Inverted for its first minute or until answered from here, then framed; late or cancelled ones never (N13)."""
    is_new = now_ms - neighbour.arrived_ms < state.settings.timing.neighbour_inverted_ms
    is_handled = neighbour.is_late or neighbour.cancel_counter or neighbour.response is not None
    kind = "DRILL" if neighbour.is_drill else KIND_WORDS[neighbour.kind]
    return Screen(
        Face.NEIGHBOUR,
        (kind,) if neighbour.about is None else (kind, reference(state, neighbour.about, HEADLINE_SMALL_CHARS_MAX)),
        (_where(state, neighbour), _news(state, neighbour)),
        Emphasis.INVERTED if is_new and not is_handled else Emphasis.FRAMED,
        PRIORITY[neighbour.kind],
        concerns=neighbour.alert.text,
    )


def _where(state: NodeState, neighbour: Neighbour) -> str:
    name, place = named(neighbour.premises), named(neighbour.place)
    name = name or ("Neighbour" if place else neighbour.incident.text)
    # The line below has no room for it beside both buttons.
    late = "LATE " if neighbour.is_late_and_urgent else ""
    said = where(name, place, late)
    is_anothers = "…" in said and _is_anothers(state, neighbour, said, late)
    return where(name, place, late, is_name_whole=True) if is_anothers else said


def _is_anothers(state: NodeState, neighbour: Neighbour, said: str, late: str) -> bool:
    """Whether another premises, cut like this one, would read the same: nobody must run to the wrong door."""
    return any(
        sender.node != neighbour.incident.node and where(named(sender.premises), named(sender.place), late) == said
        for sender in state.directory.alike(neighbour.premises)
    )


def _news(state: NodeState, neighbour: Neighbour) -> str:
    at = clock(state, pressed_at_s(state, neighbour))
    count = len(state.neighbours)
    place = state.neighbours.index(neighbour) + 1 if neighbour in state.neighbours else 1
    # There is no room for both: of several, staff must know first that there are several.
    first = f"{place} of {count}" if count > 1 else at
    answer = neighbour.answer
    if neighbour.cancel_counter:
        return "Cancelled by shop"
    if answer is not None:
        word = "COMING" if answer.state is AnswerState.ON_THE_WAY else "ANSWERED"
        return person(answer.role, answer.name, before=word)
    if neighbour.is_late and not neighbour.is_late_and_urgent:
        return line(f"LATE {at}{_said(neighbour, is_short=True) or ' ▲Seen'}")
    if neighbour.is_drill:
        return line(f"{first} {KIND_WORDS[neighbour.kind]} drill")
    return fullest(
        f"{first}{_said(neighbour) or ' ▲Seen ►Coming'}", f"{place}/{count}{_said(neighbour) or ' ▲Seen ►Coming'}"
    )


def pressed_at_s(state: NodeState, neighbour: Neighbour) -> int:
    """Our own clock less its age; if nobody can tell that, when it came, unless it is known to be late."""
    if neighbour.age_s is None and neighbour.is_late:
        return 0
    return shown_at_s(state, neighbour.arrived_ms - 1000 * (neighbour.age_s or 0))


def _said(neighbour: Neighbour, *, is_short: bool = False) -> str:
    """What was pressed here, and what may still be pressed."""
    if neighbour.response is MemberResponse.RESPONDING:
        return " Coming" if is_short else " You: coming"
    if neighbour.response is MemberResponse.SEEN:
        return " Seen" if is_short else " Seen ►Coming"
    return ""
