"""Other members' alerts (N5, N13): accepted once, shown once, in order of urgency; our *seen* and *responding*.

The inbox on disk records which alerts were accepted, and the urgency at which each was shown. *Shown* means confirmed
by the panel: an alert accepted just before a crash is shown after it (central names open incidents in its sync answer),
one that was shown is not shown again, but an assist that has become an attack is. Only a restart takes an open alert
off the panel; central's answer then brings it back, without sound. :mod:`node.core.panel.view` decides which alert has
the panel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from node.core.controls import Part
from node.core.events import ScreenShown
from node.core.gallery_state import Person
from node.core.neighbours import inbox, lateness
from node.core.neighbours.inbox import INBOX_TURN_MS
from node.core.scales import age_s, judged, readings_s, unix_s
from node.core.screens import Face
from node.core.state import Answered, Neighbour, NodeState, Seen
from node.core.turn import Timer, Turn
from wire.admission import Admitted
from wire.errors import DecodeError
from wire.frames import Alert, Cancel, Response
from wire.ids import FrameId, NodeId, parse_node
from wire.kinds import (
    MEMBERS_WARNED,
    PRIORITY,
    AlertKind,
    AnswerState,
    LeftWhenAsked,
    MemberResponse,
    Role,
    most_urgent,
)
from wire.limits import NAME_CHARS_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import IncidentState
from wire.text import display_text

_T = TypeVar("_T")

ACTIVE_MAX: Final = 64
"""Others' alerts that wait for the panel or have it. Beyond this the least urgent are dropped and counted."""
EACH_WHEN_FULL_MAX: Final = 2
"""Places that one sender keeps when they run short, for its most urgent and newest."""
REMEMBERED_MAX: Final = 64
"""Remembered closings, and cancels. When there are more closings, one sender keeps as few as of alerts."""
GUARD_MS: Final = 500
"""A button pressed this soon after one alert replaced another may have been meant for the other."""


def order_of(neighbour: Neighbour) -> tuple[int, int, FrameId]:
    """Most urgent first, then newest."""
    return (PRIORITY[neighbour.kind], -neighbour.arrived_ms, neighbour.incident)


def alert_came(turn: Turn, admitted: Admitted, frame: Alert, digest: bytes) -> None:
    """Another member's alert, admitted and not seen before."""
    if frame.kind not in MEMBERS_WARNED:
        return
    known = inbox.seen_of(turn.state, frame.id)
    if known is not None:  # Known only from central so far: now its bytes are known too.
        inbox.remember(turn, frame.id, replace(known, digest=digest))
        return
    judgement = judged(turn.state, frame.at_s, is_newest=inbox.is_newest(turn.state, frame.id))
    if frame.at_s and judgement.age_s is None and readings_s(turn.state, turn.now_ms):
        turn.reject("from the future")  # Accepted: a wrong clock must not refuse a press.
    inbox.remember(turn, frame.id, Seen(digest, is_late=judgement.is_late))
    is_opening = frame.id == frame.incident_id
    if is_opening and frame.incident_id in turn.state.ended:
        return
    cancel_counter = dict(turn.state.cancelled).get(frame.incident_id, 0)
    cancel_counter = cancel_counter if cancel_counter > frame.counter else 0
    before = _active(turn.state, frame.incident_id)
    if before is not None and before.alert.counter > frame.counter:
        return  # A later alert of the same incident is already on the panel.
    is_upgrade = before is None or PRIORITY[frame.kind] < PRIORITY[before.kind]
    turn.state.ended = _without(turn.state.ended, frame.incident_id)
    _activate(
        turn,
        Neighbour(
            incident=frame.incident_id,
            alert=frame.id,
            kind=frame.kind if is_upgrade or before is None else before.kind,
            premises=display_text(admitted.sender.premises, NAME_CHARS_MAX),
            place=display_text(admitted.sender.place, NAME_CHARS_MAX),
            schemes=_common(turn.state, frame.schemes),
            arrived_ms=turn.now_ms,
            age_s=judgement.age_s,
            is_late=judgement.is_late,
            dated_s=frame.at_s,
            is_drill=frame.drill,
            # A repeat of an alert that was already answered from here does not sound again.
            is_sounded=before is not None and not is_upgrade and before.response is not None,
            response=None if is_upgrade or before is None else before.response,
            cancel_counter=cancel_counter,
            answer=None if is_upgrade or before is None else _who_comes(before.answer),
            revision=before.revision if before else -1,
            earlier_revision=before.earlier_revision if before else -1,
            about=Person(frame.schemes[0], frame.about) if frame.about else before.about if before else None,
            left=frame.left if frame.about or before is None else before.left,
        ),
    )


def cancel_came(turn: Turn, frame: Cancel) -> None:
    """Another member cancelled an incident. Alerts pressed after that stand."""
    remembered = dict(turn.state.cancelled)
    newest = max(frame.counter, remembered.pop(frame.incident_id, 0))
    turn.state.cancelled = (*remembered.items(), (frame.incident_id, newest))[-REMEMBERED_MAX:]
    before = _active(turn.state, frame.incident_id)
    if before is not None and frame.counter > before.alert.counter:
        _update(turn, replace(before, cancel_counter=frame.counter))


def central_state(turn: Turn, state: IncidentState, frame_id: FrameId, *, is_newest: bool) -> None:
    """Central's state of another member's incident: who answered, closed, and what we may have missed.

    Args:
        turn: the step.
        state: as central says.
        frame_id: the incident's.
        is_newest: central has said nothing after it, so that it also overrides a closing.
    """
    scheme = turn.state.directory.scheme_by_slug(state.scheme)
    if scheme is None or scheme.number not in turn.settings.scheme_numbers:
        turn.reject("not our scheme")
        return
    sender = turn.state.directory.senders.get(frame_id.node)
    if sender is not None and sender.is_revoked:
        return  # Open at central until a person closes it; a lost unit's alert warns nobody.
    before = _active(turn.state, frame_id)
    if before is not None and _is_overtaken(before, state):
        return
    if state.state == "closed":
        end(turn, frame_id)
        return
    kind = AlertKind.by_slug(state.kind)
    if kind not in MEMBERS_WARNED:
        return
    if before is None:
        before = _missed(turn, state, kind, frame_id, scheme.number, is_newest=is_newest)
        if before is None:
            return
    if PRIORITY[kind] < PRIORITY[before.kind]:  # The upgrade itself has not reached us.
        before = replace(before, kind=kind, arrived_ms=turn.now_ms, age_s=None, is_sounded=False, response=None)
    before = lateness.set_right(turn, _named_person(turn, before, state), state)
    cancel_counter = before.cancel_counter
    if state.cancelled is not None:
        cancel_counter = cancel_counter or before.alert.counter
    _activate(
        turn,
        replace(
            before,
            answer=_answer(turn, state, before.alert),
            revision=state.revision,
            cancel_counter=cancel_counter,
        ),
    )


def person_of(state: NodeState, said: IncidentState) -> Person | None:
    """Whom an incident is about, as central says."""
    scheme = state.directory.scheme_by_slug(said.scheme)
    return None if scheme is None or said.person is None else Person(scheme.number, said.person)


def _named_person(turn: Turn, neighbour: Neighbour, said: IncidentState) -> Neighbour:
    about = person_of(turn.state, said)
    left = LeftWhenAsked.by_slug(said.left or "") or LeftWhenAsked.NOT_ASKED
    return neighbour if about is None else replace(neighbour, about=about, left=left)


def ended_unnoticed(turn: Turn, named: frozenset[FrameId], revision: int, asked_ms: int) -> None:
    """Central has named every open incident of our schemes: one that it had but does not name is closed.

    Args:
        turn: the step.
        named: in its answer.
        revision: what the answer covers. Central may not know an alert of which it has told us nothing.
        asked_ms: when we asked. Alerts that we heard after that could not be named.
    """
    for neighbour in turn.state.neighbours:
        was_known = 0 <= neighbour.revision <= revision and neighbour.arrived_ms < asked_ms
        if was_known and neighbour.incident not in named:
            end(turn, neighbour.incident)


def end(turn: Turn, incident: FrameId) -> None:
    """Central has closed it."""
    drop(turn, incident)
    turn.state.ended = newest_ended((*_without(turn.state.ended, incident), incident))


def _without(incidents: tuple[FrameId, ...], one: FrameId) -> tuple[FrameId, ...]:
    return tuple(incident for incident in incidents if incident != one)


def newest_ended(incidents: tuple[FrameId, ...]) -> tuple[FrameId, ...]:
    """Those of ``incidents``, oldest first, whose closing is remembered."""
    if len(incidents) > REMEMBERED_MAX:
        incidents = tuple(reversed(_fairly(incidents[::-1], lambda incident: incident.node)))
    return incidents[-REMEMBERED_MAX:]


def begin_anew(turn: Turn) -> None:
    """A new run of central has its own numbers."""
    told = [(known, max(known.revision, known.earlier_revision)) for known in turn.state.neighbours]
    turn.state.neighbours = tuple(replace(known, revision=-1, earlier_revision=most) for known, most in told)


def shown(turn: Turn, event: ScreenShown) -> None:
    """The panel has the pixels. Reported once per alert, after it is on disk."""
    if event.face != Face.NEIGHBOUR or event.priority is None or Part.OLED in turn.state.faults:
        return
    try:
        frame_id = FrameId.parse(event.concerns)
    except DecodeError:
        return
    seen = inbox.seen_of(turn.state, frame_id)
    if seen is None or inbox.is_shown_as(seen, event.priority):
        return
    entry = next((n for n in turn.state.neighbours if n.alert == frame_id), None)
    inbox.remember(turn, frame_id, replace(seen, shown=event.priority))
    if entry is not None and entry.incident != frame_id:
        opening = inbox.seen_of(turn.state, entry.incident) or Seen(b"")
        shown = most_urgent(opening.shown, event.priority)
        if shown is not opening.shown:
            inbox.remember(turn, entry.incident, replace(opening, shown=shown))
    detail = {"kind": entry.kind.slug, "from_premises": entry.premises} if entry else {}
    fact = "shown" if seen.shown is None else "upgrade_shown"
    turn.fact(fact, frame_id, **detail, is_late=str(seen.is_late).lower())
    if seen.is_late:
        turn.fact("late", frame_id, **detail)


def is_shown(state: NodeState, neighbour: Neighbour) -> bool:
    """Whether the panel has confirmed this alert at its present urgency."""
    seen = inbox.seen_of(state, neighbour.alert)
    return seen is not None and inbox.is_shown_as(seen, PRIORITY[neighbour.kind])


def to_respond(state: NodeState, now_ms: int, response: MemberResponse) -> Neighbour | None:
    """The alert that a press of *seen* or *responding* is about, or ``None``.

    It is the one on display or, if the panel shows our own incident, the only one.
    """
    view = state.view
    if view.neighbour is not None:
        if view.was_other and now_ms - view.since_ms < GUARD_MS:
            return None
        entry = _active(state, view.neighbour)
    else:
        entry = state.neighbours[0] if len(state.neighbours) == 1 and is_shown(state, state.neighbours[0]) else None
    if entry is None or not entry.schemes or (entry.response is not None and entry.response >= response):
        return None
    return entry


def responded(turn: Turn, neighbour: Neighbour, response: MemberResponse) -> None:
    """Note the press; the caller drafts the response."""
    _update(turn, replace(neighbour, response=response))


def sounded(turn: Turn, neighbour: Neighbour) -> None:
    """Note that it has sounded."""
    _update(turn, replace(neighbour, is_sounded=True))


def drop(turn: Turn, incident: FrameId) -> None:
    """Take it off the panel."""
    turn.state.neighbours = tuple(n for n in turn.state.neighbours if n.incident != incident)


def timers(state: NodeState) -> Iterator[Timer]:
    """Alerts leave the panel after their time, the oldest first."""
    if state.neighbours:
        oldest_ms = min(neighbour.arrived_ms for neighbour in state.neighbours)
        yield oldest_ms + state.settings.timing.neighbour_shown_ms, _drop_old


def _drop_old(turn: Turn) -> None:
    left_ms = turn.now_ms - turn.timing.neighbour_shown_ms
    turn.state.neighbours = tuple(n for n in turn.state.neighbours if n.arrived_ms > left_ms)


def drop_revoked(turn: Turn) -> None:
    """Drop the alerts of senders that were struck off."""
    kept = tuple(n for n in turn.state.neighbours if not is_struck_off(turn.state, n.incident.node))
    if len(kept) != len(turn.state.neighbours):
        turn.state.neighbours = kept
    for key in turn.state.recent:
        incident = turn.state.incidents.get(key)
        if incident is not None and any(is_struck_off(turn.state, member.node) for member in incident.members):
            members = tuple(member for member in incident.members if not is_struck_off(turn.state, member.node))
            turn.state.incidents = turn.state.incidents.put(key, replace(incident, members=members))


def is_struck_off(state: NodeState, node: int) -> bool:
    """Whether the directory no longer names it, or names it as revoked."""
    sender = state.directory.senders.get(NodeId(node))
    return sender is None or sender.is_revoked


def is_stale(turn: Turn, frame: Alert | Cancel | Response) -> bool:
    """Whether it is older than the inbox's memory: on the air, almost certainly a replay.

    Nothing is refused by the clock alone: a wrong one would refuse a real press. A press has a higher number than all
    before it; a replay of a frame heard here has not.
    """
    is_old = 1000 * age_s(turn.state, frame.at_s) > INBOX_TURN_MS
    return is_old and not inbox.is_newest(turn.state, frame.id)


def _is_overtaken(known: Neighbour, state: IncidentState) -> bool:
    """Whether central has said more about it; an earlier run's closing counts, as a restored run counts on above it."""
    told = max(known.revision, known.earlier_revision) if state.state == "closed" else known.revision
    return state.revision < told


def _missed(
    turn: Turn, state: IncidentState, kind: AlertKind, frame_id: FrameId, scheme: int, *, is_newest: bool
) -> Neighbour | None:
    """An open incident whose alert never reached us, or was never shown at its present urgency since it was opened."""
    seen = inbox.seen_of(turn.state, frame_id)
    if frame_id in turn.state.ended:
        if not is_newest:
            return None
        turn.state.ended = _without(turn.state.ended, frame_id)
    elif seen is not None and inbox.is_shown_as(seen, PRIORITY[kind]):
        return _shown_before(turn, state, kind, frame_id, scheme) if seen.is_restored else None
    judgement = judged(turn.state, unix_s(state.opened_at), is_newest=True)
    is_late = judgement.is_late or state.late
    if seen is None:
        inbox.remember(turn, frame_id, Seen(b"", is_late=is_late))
    elif is_late != seen.is_late:
        inbox.remember(turn, frame_id, replace(seen, is_late=is_late))
    return _named(turn, state, kind, frame_id, scheme, age_s=judgement.age_s, is_late=is_late)


def _named(
    turn: Turn,
    state: IncidentState,
    kind: AlertKind,
    frame_id: FrameId,
    scheme: int,
    *,
    age_s: int | None,
    is_late: bool,
) -> Neighbour:
    """A neighbour from central's state, as if it arrived now."""
    return Neighbour(
        incident=frame_id,
        alert=frame_id,
        kind=kind,
        premises=display_text(state.premises, NAME_CHARS_MAX),
        place=display_text(state.place, NAME_CHARS_MAX),
        schemes=(scheme,),
        arrived_ms=turn.now_ms,
        age_s=age_s,
        is_late=is_late,
        dated_s=0 if state.late else unix_s(state.opened_at),
        is_drill=state.drill,
    )


def _shown_before(
    turn: Turn, state: IncidentState, kind: AlertKind, frame_id: FrameId, scheme: int
) -> Neighbour | None:
    """It was on the panel when the program ended: it returns once, for the rest of its time, without sound."""
    seen = inbox.seen_of(turn.state, frame_id)
    age_s = judged(turn.state, unix_s(state.opened_at), is_newest=True).age_s
    arrived_ms = turn.now_ms - 1000 * (age_s or 0)
    if seen is None or turn.now_ms - arrived_ms >= turn.timing.neighbour_shown_ms:
        return None
    inbox.put(turn, frame_id, replace(seen, is_restored=False))
    ours = next((m.response for m in state.members if parse_node(m.node) == turn.settings.node), None)
    named = _named(turn, state, kind, frame_id, scheme, age_s=None if age_s is None else 0, is_late=state.late)
    response = None if ours is None else MemberResponse[ours.upper()]
    return replace(named, arrived_ms=arrived_ms, is_sounded=True, response=response)


def _answer(turn: Turn, state: IncidentState, newest: FrameId) -> Answered | None:
    """The answer to the newest press that is known here, or who comes."""
    if state.answer is None or state.state not in ("answered", "on-the-way"):
        return None
    said = AnswerState.ANSWERED if state.state == "answered" else AnswerState.ON_THE_WAY
    press = 0 if state.answer.press is None else FrameId.parse(state.answer.press).counter
    if said is AnswerState.ANSWERED and 0 < press < newest.counter:
        return None
    role = Role.by_slug(state.answer.role)
    return Answered(
        said,
        role.short if role else display_text(state.answer.role.upper(), 6),
        display_text(state.answer.name, NAME_CHARS_MAX),
        unix_s(state.answer.at),
        turn.now_ms,
        press,
    )


def _who_comes(answer: Answered | None) -> Answered | None:
    """Somebody on the way still comes after another press; somebody who had only answered has not answered that."""
    return answer if answer is not None and answer.state is AnswerState.ON_THE_WAY else None


def _common(state: NodeState, schemes: tuple[int, ...]) -> tuple[int, ...]:
    ours = state.settings.scheme_numbers
    return tuple(scheme for scheme in schemes if scheme in ours)[:SCHEMES_PER_NODE_MAX]


def _active(state: NodeState, incident: FrameId) -> Neighbour | None:
    return next((n for n in state.neighbours if n.incident == incident), None)


def _update(turn: Turn, neighbour: Neighbour) -> None:
    turn.state.neighbours = tuple(neighbour if n.incident == neighbour.incident else n for n in turn.state.neighbours)


def _activate(turn: Turn, neighbour: Neighbour) -> None:
    others = (n for n in turn.state.neighbours if n.incident != neighbour.incident)
    ranked = sorted((*others, neighbour), key=order_of)
    if len(ranked) > ACTIVE_MAX:
        turn.reject("too many alerts")
        ranked = _fairly(ranked, lambda n: n.incident.node)
    turn.state.neighbours = tuple(ranked[:ACTIVE_MAX])


def _fairly(ranked: Sequence[_T], sender_of: Callable[[_T], NodeId]) -> list[_T]:
    """Without any sender's excess over its share: a stolen node must not push honest alerts off the list."""
    places: Counter[NodeId] = Counter()
    kept = []
    for entry in ranked:
        sender = sender_of(entry)
        places[sender] += 1
        if places[sender] <= EACH_WHEN_FULL_MAX:
            kept.append(entry)
    return kept
