"""Others' answers to our own incidents (N3, N5): acknowledgements, central's state, other members' buttons."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.controls import SoundPattern
from node.core.incident.lifecycle import closed, forget, happen, incident_id, is_decisive, keep, open_incident, reopened
from node.core.incident.sounder import play_for_own
from node.core.link import told
from node.core.member import Member
from node.core.neighbours import alerts as neighbours
from node.core.neighbours.alerts import is_struck_off
from node.core.scales import age_s, readings_s, unix_s
from node.core.state import Answered, Incident, NodeState
from node.core.table import UNSETTLED, Happening, PathPhase, Phase
from node.core.turn import Turn
from wire.directory import Sender
from wire.frames import Acknowledgement, AutomaticAcknowledgement, PressAcknowledgement, Response
from wire.ids import FrameId, parse_node
from wire.kinds import AUTOMATIC_NAME, PRIORITY, WATCHLINK_ROLE, AlertKind, AnswerState, MemberResponse, Path, Role
from wire.limits import NAME_CHARS_MAX
from wire.messages import Answer, IncidentState
from wire.text import display_text, short_name

MEMBERS_MAX: Final = 64
SYNC_INCIDENTS_MAX: Final = 256
"""An answer this long may have been cut, so an incident that it leaves out may still be open."""

ACKNOWLEDGED_WITHIN_S: Final = 2
"""After an answer its acknowledgement has been signed, by central's clock."""

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


def acknowledged(turn: Turn, frame: Acknowledgement | AutomaticAcknowledgement, path: Path) -> None:
    """A person's answer or, to a test only, Watchlink's own; signed by central."""
    is_ours = frame.target.node == turn.settings.node
    incident = turn.state.incidents.get(frame.target.counter) if is_ours else None
    is_for_tests = isinstance(frame, AutomaticAcknowledgement)
    if incident is None or (is_for_tests and incident.kind is not AlertKind.TEST):
        turn.reject("acknowledgement target")
        return
    if _is_old(turn.state, frame, incident, path):
        return
    press = frame.target.counter + frame.press if isinstance(frame, PressAcknowledgement) else 0
    if isinstance(frame, PressAcknowledgement) and _is_overtaken(frame, press, incident):
        keep(turn, replace(incident, ack_counter=frame.counter))
        if frame.state is AnswerState.CLOSED and incident.answer is not None and incident.answer.press <= press:
            # Whoever was on the way to what was closed comes no more.
            _apply(turn, incident.key, Answered(AnswerState.UNANSWERED, "", "", 0, turn.now_ms), None)
        return
    is_known = incident.answer is not None and incident.answer.state is frame.state and incident.answer.press >= press
    is_now, is_taken_back = _is_about_latest(incident), frame.state is AnswerState.UNANSWERED
    is_told = is_now or is_taken_back or (_is_of_last(incident, press) and not _awaits_another(incident, press))
    ahead = frame.state if is_told and not is_known else incident.ahead
    # An acknowledgement closed it, whether or not a state has said so too: what is said now is newer.
    known = incident.ahead if incident.answer is None else incident.answer.state
    was_closed = AnswerState.CLOSED in (incident.ahead, known)
    is_open_again = was_closed and frame.state is not AnswerState.CLOSED
    incident = replace(incident, ahead=ahead, ahead_ms=turn.now_ms, ack_counter=frame.counter, is_restored=False)
    keep(turn, incident)
    if is_open_again:
        happen(turn, incident.key, Happening.REOPENED)
    told.keep(turn)  # After a crash in the next seconds no older answer must pass for this one.
    if isinstance(frame, AutomaticAcknowledgement):
        _apply(turn, incident.key, Answered(frame.state, "", AUTOMATIC_NAME, frame.at_s, turn.now_ms), None)
        return
    name = display_text(frame.name, NAME_CHARS_MAX)
    answer = Answered(frame.state, frame.role.short, name, frame.at_s, turn.now_ms, press)
    # This says nothing about a newer press in the same incident, which central may not have.
    if is_now:
        _apply(turn, incident.key, answer, frame.role)
    elif press:  # The last press's receipt shows it: as its answer, or as that to an earlier one.
        keep(turn, replace(incident, answer=None if is_taken_back else answer))


def _is_overtaken(frame: PressAcknowledgement, press: int, incident: Incident) -> bool:
    """Whether it is behind what is known: another answer, a press that whoever acted did not know, or no receipt yet.

    Somebody on the way comes in any case, and what is taken back was said of whatever there was.
    """
    if frame.state not in (AnswerState.ANSWERED, AnswerState.CLOSED):
        return False
    if frame.state is AnswerState.ANSWERED and incident.answer is not None and press < incident.answer.press:
        return True
    if not _is_of_last(incident, press):
        return frame.state is AnswerState.CLOSED  # What was pressed since opens it again.
    if frame.urgency > PRIORITY[incident.kind]:
        return True  # Central had the last press, but not a more urgent one before it.
    return _awaits_another(incident, press)


def _is_of_last(incident: Incident, press: int) -> bool:
    """Whether it names the last press that we know, or one after it that we have forgotten; 0 names none."""
    return press > 0 and incident.latest is not None and press >= incident.latest


def _awaits_another(incident: Incident, press: int) -> bool:
    """Whether the receipt of another press decides what is told: central may ask anew when it gets that."""
    return incident.phase in UNSETTLED and any(
        counter != press and is_decisive(incident, counter, kind) for counter, kind in incident.waiting
    )


def _is_old(
    state: NodeState, frame: Acknowledgement | AutomaticAcknowledgement, incident: Incident, path: Path
) -> bool:
    """Whether it is a repetition, or was kept back and replayed."""
    central = state.central
    if frame.counter <= incident.ack_counter:
        return True  # Repeated, or overtaken by a newer one.
    if incident.is_restored and path is Path.NETWORK and frame.counter <= central.told_counter:
        # From before our restart: central's answer tells what became of it since. By radio nothing else could.
        return True
    # Central's answer since then, by the same clock, says what became of it. Cut off, we cannot know that its clock
    # was not set back meanwhile, and a true answer by radio is not to be lost for that.
    return central.path is PathPhase.PROVEN and 0 < frame.at_s < central.answered_at_s


def begin_anew(turn: Turn) -> None:
    """A new run of central, perhaps on an older database, has its own numbers."""
    for key in turn.state.recent:
        incident = turn.state.incidents.get(key)
        if incident is not None:
            keep(turn, replace(incident, revision=-1))


def own_state(turn: Turn, state: IncidentState, frame_id: FrameId, *, asked_ms: int | None = None) -> None:
    """Central's whole state of an incident of ours.

    Args:
        turn: the step.
        state: as central says.
        frame_id: the incident's.
        asked_ms: when we asked for it; ``None`` = it came by itself, and may have waited at the broker.
    """
    incident = turn.state.incidents.get(frame_id.counter)
    if incident is None:
        if state.state == "closed":
            return
        incident = _adopted(turn, state, frame_id)
        reopened(turn, incident.key)
        open_incident(turn, incident, is_older=True)
    if state.revision < incident.revision:
        return
    # The air, or a connection of its own, may have brought the answer before the states that are older than it; so is
    # central's answer to a question that we asked before we heard that.
    # What was heard in the very millisecond of the question stays until the next one.
    is_newer = asked_ms is not None and incident.ahead_ms < asked_ms
    is_lower = incident.ahead is not None and _RANKS[_STATES[state.state]] < _RANKS[incident.ahead]
    is_overtaken = not is_newer and (is_lower or _is_before_answer(incident, state))
    ahead = incident.ahead if is_overtaken else None
    asked = _asked(incident, state)
    incident = replace(incident, revision=state.revision, ahead=ahead, is_restored=False, asked=asked)
    keep(turn, incident)
    for member in state.members:
        response = _RESPONSES[member.response]
        _member(turn, incident.key, parse_node(member.node), member.premises, response, is_own_word=False)
    if not is_overtaken:
        _apply_state(turn, incident.key, state)


def _is_before_answer(incident: Incident, said: IncidentState) -> bool:
    """Whether the answer that came by itself is later than the state's, which is to an earlier press."""
    if incident.answer is None or said.answer is None or said.answer.press is None:
        return False
    press = FrameId.parse(said.answer.press).counter
    if incident.answer.press:
        return incident.ahead is not None and press < incident.answer.press
    is_to_earlier = press < (incident.latest or 0)
    return is_to_earlier and incident.answer.at_s > unix_s(said.answer.at) + ACKNOWLEDGED_WITHIN_S


def _asked(incident: Incident, said: IncidentState) -> tuple[tuple[str, str], ...]:
    others = tuple(one for one in incident.asked if one[0] != said.scheme)
    return others if said.asked is None else (*others, (said.scheme, said.asked.role or ""))


def responded(turn: Turn, frame: Response, sender: Sender) -> None:
    """Another member pressed *seen* or *responding* on an incident of ours."""
    _member(turn, frame.target.counter, frame.sender, sender.premises, frame.response, is_own_word=True)


def ended_unnoticed(turn: Turn, named: frozenset[int], asked_ms: int) -> None:
    """Central has named all our open incidents: those it did not name are no longer open.

    Args:
        turn: the step.
        named: our keys in the answer.
        asked_ms: when we asked. Alerts that reached central after that could not be named.
    """
    for key in turn.state.recent:
        incident = turn.state.incidents.get(key)
        if incident is None or key in named or key < 0 or incident.waiting:
            continue
        if incident.phase in UNSETTLED or incident.phase is Phase.CLOSED:
            continue
        was_known = incident.received_ms is not None and incident.received_ms < asked_ms
        # A receipt that came in this run may be younger than the question, however old the press is.
        was_known_at_start = incident.is_restored and (incident.received_ms or 0) <= turn.state.started_ms
        if was_known or was_known_at_start:
            closed(turn, key)
            forget(turn, key)  # Who closed it, and when, is unknown, and so not shown.


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
    elif said is AnswerState.UNANSWERED or (said is AnswerState.CLOSED and not _is_closed_with_last(incident)):
        keep(turn, replace(incident, answer=None))


def _is_closed_with_last(incident: Incident) -> bool:
    """Whether its closing is known to be of the last press too: that holds as soon as the receipt has come."""
    answer = incident.answer
    return answer is not None and answer.state is AnswerState.CLOSED and _is_of_last(incident, answer.press)


def _is_about_latest(incident: Incident) -> bool:
    return incident.phase not in UNSETTLED or incident.latest == incident.key


def _apply(turn: Turn, key: int, answer: Answered, role: Role | None) -> None:
    incident = turn.state.incidents.get(key)
    if incident is None:
        return
    before = incident.answer
    is_same = before is not None and before.state is answer.state and before.role == answer.role
    is_same = is_same and short_name(before.name if before else "") == short_name(answer.name)
    # The same person may answer the second press too.
    if before is not None and incident.is_answer_to_earlier(before) and not incident.is_answer_to_earlier(answer):
        is_same = False
    if answer.state is AnswerState.CLOSED:
        if answer.role or incident.phase in UNSETTLED:  # It holds as soon as the receipt has come.
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
        # The same answer again, perhaps with the full name, the press it answers, and the time that the page shows.
        fuller = max(before.name, answer.name, key=len)
        newer = answer if answer.press else before
        at_s = newer.at_s or before.at_s or answer.at_s
        answer = replace(before, name=fuller, at_s=at_s, press=newer.press, after_s=newer.after_s)
        keep(turn, replace(incident, answer=answer))
    else:
        keep(turn, replace(incident, answer=answer))
        turn.fact(
            "acknowledged",
            incident_id(turn.state, incident),
            role=role.slug if role else answer.role.lower(),
            name=answer.name,
            state=answer.state.name.lower().replace("_", "-"),
        )
    if answer.state is AnswerState.ANSWERED and incident.is_answer_to_earlier(answer):
        # The phase says what is true of the newest press. What came before named none, and may have been taken for it.
        if incident.phase in (Phase.ANSWERED, Phase.ON_THE_WAY):
            happen(turn, key, Happening.TAKEN_BACK)
        return
    happen(turn, key, _HAPPENINGS[answer.state])


def _answer(turn: Turn, answer: Answer | None, said: AnswerState, incident: Incident) -> tuple[Answered, Role | None]:
    if answer is None or said in (AnswerState.CLOSED, AnswerState.UNANSWERED):
        # The person who answered need not be the one who closed it.
        return Answered(said, "", "", 0, turn.now_ms), None
    role = Role.by_slug(answer.role)
    short = role.short if role else "" if answer.role == WATCHLINK_ROLE else display_text(answer.role.upper(), 6)
    name = display_text(answer.name, NAME_CHARS_MAX)
    heard_ms = turn.now_ms
    if incident.answer is not None and incident.answer.state is said:
        heard_ms = incident.answer.heard_ms
    press = 0 if answer.press is None else FrameId.parse(answer.press).counter
    return Answered(said, short, name, unix_s(answer.at), heard_ms, press, answer.after_s), role


def _member(turn: Turn, key: int, node: int, premises: str, response: MemberResponse, *, is_own_word: bool) -> None:
    """Note a response, unless it is known: what central tells of may be of before an upgrade."""
    incident = turn.state.incidents.get(key)
    if incident is None or node == turn.settings.node or is_struck_off(turn.state, node):
        return
    known = next((m for m in incident.members if m.node == node), None)
    if known is not None:
        is_of_upgrade = is_own_word and PRIORITY[incident.kind] < PRIORITY[known.kind]
        if known.response >= response and not is_of_upgrade:
            return
        response = max(known.response, response)
    if known is None and len(incident.members) >= MEMBERS_MAX:
        return
    member = Member(node, display_text(premises, NAME_CHARS_MAX), response, incident.kind)
    # The newest comes last, so that the screen can name it.
    others = tuple(m for m in incident.members if m.node != node)
    is_news = incident.phase in (Phase.ON_AIR, Phase.UNDELIVERED) and _is_good_news(incident, response)
    incident = replace(incident, members=(*others, member))
    if is_news:  # Then the presser must see it, even if others have alerted too.
        incident = replace(incident, changed_ms=turn.now_ms)
    keep(turn, incident)
    if is_news and incident.is_somebody_coming:
        play_for_own(turn, incident, SoundPattern.CONFIRM)
    turn.fact(
        "response",
        incident_id(turn.state, incident),
        response=response.name.lower(),
        from_node=f"{node:08x}",
        from_premises=member.premises,
    )


def _is_good_news(incident: Incident, response: MemberResponse) -> bool:
    """Whether this is the first *seen*, or the first *responding*."""
    return not incident.responders or (response is MemberResponse.RESPONDING and not incident.is_somebody_coming)


def _adopted(turn: Turn, state: IncidentState, frame_id: FrameId) -> Incident:
    """An open incident of ours that this disk does not know (a restored card), as central tells it."""
    kind = AlertKind.by_slug(state.kind) or AlertKind.ASSIST
    opened_age_s = age_s(turn.state, unix_s(state.opened_at))
    return Incident(
        key=frame_id.counter,
        phase=Phase.RECEIVED,
        kind=kind,
        latest_kind=kind,
        latest=frame_id.counter,
        latest_draft=0,
        waiting=(),
        opened_ms=turn.now_ms - 1000 * opened_age_s if readings_s(turn.state, turn.now_ms) else None,
        pressed_ms=None,
        pressed_at_s=unix_s(state.opened_at),
        changed_ms=turn.now_ms,
        is_silent=state.silent,
        is_late=state.late,
        received_ms=turn.now_ms,
        about=neighbours.person_of(turn.state, state),
    )
