"""What others say of our own incidents (N3, N5): acknowledgements, central's state, other members' buttons."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from node.core import delivery
from node.core.controls import SoundPattern
from node.core.lifecycle import forget, happen, incident_id, keep, open_incident
from node.core.signals import is_somebody_coming, play_for_own
from node.core.state import Answered, Incident, Member, true_time_s
from node.core.table import UNSETTLED, Happening, Phase
from node.core.turn import Turn
from wire.directory import Sender
from wire.frames import Acknowledgement, Response
from wire.ids import FrameId, parse_node
from wire.kinds import PRIORITY, AlertKind, AnswerState, MemberResponse, Role
from wire.limits import NAME_CHARS_MAX
from wire.messages import Answer, IncidentState
from wire.text import display_text, short_name

MEMBERS_MAX: Final = 64
SYNC_INCIDENTS_MAX: Final = 256
"""An answer as long as this may have been cut, so what it leaves out says nothing."""

_HAPPENINGS: Final = {
    AnswerState.ANSWERED: Happening.ANSWERED,
    AnswerState.ON_THE_WAY: Happening.SET_OUT,
    AnswerState.CLOSED: Happening.CLOSED,
    AnswerState.UNANSWERED: Happening.TAKEN_BACK,
}
_STATES: Final = {
    "unanswered": AnswerState.UNANSWERED,
    "answered": AnswerState.ANSWERED,
    "on-the-way": AnswerState.ON_THE_WAY,
    "closed": AnswerState.CLOSED,
}
_RANKS: Final = {
    state: rank
    for rank, state in enumerate(
        (AnswerState.UNANSWERED, AnswerState.ANSWERED, AnswerState.ON_THE_WAY, AnswerState.CLOSED)
    )
}
_RESPONSES: Final = {response.name.lower(): response for response in MemberResponse}


def acknowledged(turn: Turn, frame: Acknowledgement) -> None:
    """A person's word, signed by central."""
    if frame.target.node != turn.settings.node:
        turn.reject("acknowledgement target")
        return
    incident = turn.state.incidents.get(frame.target.counter)
    if incident is None:
        turn.reject("acknowledgement target")
        return
    if frame.counter <= incident.ack_counter:
        return  # A repetition, or overtaken by a newer one.
    is_known = incident.answer is not None and incident.answer.state is frame.state
    ahead = incident.ahead if is_known else frame.state
    incident = replace(incident, ack_counter=frame.counter, ahead=ahead, is_restored=False)
    keep(turn, incident)
    answer = Answered(frame.state, frame.role.short, display_text(frame.name, NAME_CHARS_MAX), frame.at_s, turn.now_ms)
    # Of a newer press in the same incident that central may not have, this says nothing.
    if _is_about_latest(incident):
        _apply(turn, incident.key, answer, frame.role)


def own_state(turn: Turn, state: IncidentState, frame_id: FrameId, *, is_asked: bool = False) -> None:
    """Central's whole state of an incident of ours; ``is_asked``: as it is now, not one that waited at the broker."""
    incident = turn.state.incidents.get(frame_id.counter)
    if incident is None:
        if state.state == "closed":
            return
        incident = _adopted(turn, state, frame_id)
        open_incident(turn, incident)
    if state.revision < incident.revision:
        return
    # The air may have brought the answer while the states before it waited for the network: those are old by now.
    is_overtaken = incident.ahead is not None and _RANKS[_STATES[state.state]] < _RANKS[incident.ahead] and not is_asked
    ahead = incident.ahead if is_overtaken else None
    incident = replace(incident, revision=state.revision, ahead=ahead, is_restored=False)
    keep(turn, incident)
    if state.cancelled is not None:
        delivery.cancel_received(turn, incident.key)
    for member in state.members:
        _member(turn, incident.key, parse_node(member.node), member.premises, _RESPONSES[member.response])
    if not is_overtaken:
        _apply_state(turn, incident.key, state)


def responded(turn: Turn, frame: Response, sender: Sender) -> None:
    """Another member pressed *seen* or *responding* about an incident of ours."""
    _member(turn, frame.target.counter, frame.sender, sender.premises, frame.response)


def ended_unnoticed(turn: Turn, named: frozenset[int], answered_ms: int) -> None:
    """Central has named every open incident of ours: those it did not name, it no longer has open.

    Args:
        turn: the step.
        named: keys of ours in the answer.
        answered_ms: when we asked. What central took in after that it could not have named.
    """
    for key in turn.state.recent:
        incident = turn.state.incidents.get(key)
        if incident is None or key in named or key < 0 or incident.waiting:
            continue
        if incident.phase in UNSETTLED or incident.phase is Phase.CLOSED:
            continue
        was_known = incident.received_ms is not None and incident.received_ms < answered_ms
        # A receipt that came in this run may be younger than the question, however old the press is.
        was_known_at_start = incident.is_restored and (incident.received_ms or 0) <= turn.state.started_ms
        if was_known or was_known_at_start:
            forget(turn, key)  # Who closed it, and when, is not known: that is not told either.


def _apply_state(turn: Turn, key: int, state: IncidentState) -> None:
    incident = turn.state.incidents.get(key)
    if incident is None:
        return
    said = _STATES[state.state]
    answer, role = _answer(turn, state.answer, said, incident)
    kind = AlertKind.by_slug(state.kind)
    knows_upgrade = kind is not None and PRIORITY[kind] <= PRIORITY[incident.kind]
    if incident.phase is Phase.CLOSED and said is not AnswerState.CLOSED:
        happen(turn, key, Happening.REOPENED)
    if _is_about_latest(incident):
        _apply(turn, key, answer, role)
    elif knows_upgrade and said in (AnswerState.ANSWERED, AnswerState.ON_THE_WAY):
        keep(turn, replace(incident, answer=answer))  # It holds as soon as the newest press is receipted too.


def _is_about_latest(incident: Incident) -> bool:
    return incident.phase not in UNSETTLED or incident.latest == incident.key


def _apply(turn: Turn, key: int, answer: Answered, role: Role | None) -> None:
    incident = turn.state.incidents.get(key)
    if incident is None:
        return
    before = incident.answer
    is_same = before is not None and before.state is answer.state and before.role == answer.role
    is_same = is_same and short_name(before.name if before else "") == short_name(answer.name)
    if answer.state is AnswerState.CLOSED:
        if answer.role:
            keep(turn, replace(incident, answer=answer))
        happen(turn, key, Happening.CLOSED)
        return
    if answer.state is AnswerState.UNANSWERED:
        keep(turn, replace(incident, answer=None))
        happen(turn, key, Happening.TAKEN_BACK)
        if before is not None and before.state is not AnswerState.UNANSWERED:
            turn.fact("acknowledged", incident_id(turn.state, incident), role="", name="", state="unanswered")
        return
    if is_same and before is not None:
        # The same word again, perhaps with the fuller name.
        fuller = max(before.name, answer.name, key=len)
        keep(turn, replace(incident, answer=replace(before, name=fuller, at_s=before.at_s or answer.at_s)))
    else:
        keep(turn, replace(incident, answer=answer))
        turn.fact(
            "acknowledged",
            incident_id(turn.state, incident),
            role=role.slug if role else answer.role.lower(),
            name=answer.name,
            state=answer.state.name.lower().replace("_", "-"),
        )
    happen(turn, key, _HAPPENINGS[answer.state])


def _answer(turn: Turn, answer: Answer | None, said: AnswerState, incident: Incident) -> tuple[Answered, Role | None]:
    if answer is None or said in (AnswerState.CLOSED, AnswerState.UNANSWERED):
        # Who once answered is not who closed it.
        return Answered(said, "", "", 0, turn.now_ms), None
    role = Role.by_slug(answer.role)
    short = role.short if role else display_text(answer.role.upper(), 6)
    name = display_text(answer.name, NAME_CHARS_MAX)
    heard_ms = turn.now_ms
    if incident.answer is not None and incident.answer.state is said:
        heard_ms = incident.answer.heard_ms
    return Answered(said, short, name, _unix_s(answer.at), heard_ms), role


def _unix_s(moment: datetime) -> int:
    try:
        return max(0, int(moment.timestamp()))
    except (OverflowError, ValueError):
        return 0


def _member(turn: Turn, key: int, node: int, premises: str, response: MemberResponse) -> None:
    incident = turn.state.incidents.get(key)
    if incident is None or node == turn.settings.node:
        return
    known = next((m for m in incident.members if m.node == node), None)
    if known is not None and known.response >= response:
        return
    if known is None and len(incident.members) >= MEMBERS_MAX:
        return
    member = Member(node, display_text(premises, NAME_CHARS_MAX), response)
    # The newest comes last, so that the screen can name it.
    others = tuple(m for m in incident.members if m.node != node)
    is_news = incident.phase in (Phase.ON_AIR, Phase.UNDELIVERED) and _is_good_news(incident, response)
    incident = replace(incident, members=(*others, member))
    if is_news:  # Then the presser must see it, whoever else has alerted.
        incident = replace(incident, changed_ms=turn.now_ms)
    keep(turn, incident)
    if is_news and is_somebody_coming(incident):
        play_for_own(turn, incident, SoundPattern.CONFIRM)
    turn.fact(
        "response",
        incident_id(turn.state, incident),
        response=response.name.lower(),
        from_node=f"{node:08x}",
        from_premises=member.premises,
    )


def _is_good_news(incident: Incident, response: MemberResponse) -> bool:
    """The first who has seen it, and the first who is coming."""
    return not incident.members or (response is MemberResponse.RESPONDING and not is_somebody_coming(incident))


def _adopted(turn: Turn, state: IncidentState, frame_id: FrameId) -> Incident:
    """An open incident of ours that this disk does not remember (a restored card): central's word is shown."""
    kind = AlertKind.by_slug(state.kind) or AlertKind.ASSIST
    opened_s, now_s = _unix_s(state.opened_at), true_time_s(turn.state, turn.now_ms)
    return Incident(
        key=frame_id.counter,
        phase=Phase.RECEIVED,
        kind=kind,
        latest_kind=kind,
        latest=frame_id.counter,
        latest_draft=0,
        waiting=(),
        opened_ms=turn.now_ms - 1000 * max(0, now_s - opened_s) if now_s else None,
        pressed_ms=None,
        pressed_at_s=opened_s,
        changed_ms=turn.now_ms,
        is_silent=state.silent,
        is_late=state.late,
        received_ms=turn.now_ms,
    )
