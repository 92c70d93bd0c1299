"""Other members' alerts (N5, N13): taken in once, shown once, in the order of urgency; our *seen* and *responding*.

The inbox on disk says which alerts were taken in and which were shown. *Shown* is only what the panel confirmed, so an
alert taken in just before a crash is shown after it (central names open incidents in its sync answer), and one that was
shown is not shown again. Which of several alerts has the panel is :mod:`node.core.view`'s.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from node.core.controls import Part
from node.core.effects import KeepSeen
from node.core.events import ScreenShown
from node.core.ledger import Shelf
from node.core.screens import Face
from node.core.state import Answered, Inbox, Neighbour, NodeState, Seen, true_time_s, wall_at_s
from node.core.turn import Turn
from wire.admission import Admitted
from wire.errors import DecodeError
from wire.frames import Alert, Cancel, Response
from wire.ids import FrameId
from wire.kinds import MEMBERS_WARNED, PRIORITY, AlertKind, AnswerState, MemberResponse, Role
from wire.limits import NAME_CHARS_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import IncidentState
from wire.text import display_text

ACTIVE_MAX: Final = 64
"""Alerts of others that wait for the panel or have it. Beyond, the least urgent are dropped, and counted."""
REMEMBERED_MAX: Final = 64
INBOX_TURN_MS: Final = 24 * 3_600_000
INBOX_ROWS_MAX: Final = 20_000
FUTURE_S: Final = 120
"""A press may be ahead of our clock by this much; more is a fault of one of the two clocks."""
GUARD_MS: Final = 500
"""A button pressed so soon after one alert took another's place may have been meant for the other."""


def order_of(neighbour: Neighbour) -> tuple[int, int, FrameId]:
    """Most urgent first, then newest."""
    return (PRIORITY[neighbour.kind], -neighbour.arrived_ms, neighbour.incident)


def is_new(turn: Turn, frame_id: FrameId, digest: bytes) -> bool:
    """Whether no frame with this id was taken in; two different frames with one id are refused and counted."""
    known = _seen(turn.state, frame_id)
    if known is None or not known.digest:
        return True
    if known.digest != digest:
        turn.reject("id conflict")
    return False


def alert_came(turn: Turn, admitted: Admitted, frame: Alert, digest: bytes) -> None:
    """Another member's alert, admitted and not seen before."""
    if frame.kind not in MEMBERS_WARNED:
        return
    known = _seen(turn.state, frame.id)
    if known is not None:  # Known from central's word only: now its bytes are known too.
        _remember(turn, frame.id, replace(known, digest=digest))
        return
    is_late, at_s = _judge(turn, frame.at_s)
    is_late = is_late or _is_undated_and_old(turn.state, frame)
    _remember(turn, frame.id, Seen(digest, is_shown=False, is_late=is_late))
    is_opening = frame.id == frame.incident_id
    if is_opening and frame.incident_id in turn.state.ended:
        return
    cancel_counter = dict(turn.state.cancelled).get(frame.incident_id, 0)
    cancel_counter = cancel_counter if cancel_counter > frame.counter else 0
    before = _active(turn.state, frame.incident_id)
    if before is not None and before.alert.counter > frame.counter:
        return  # Overtaken by a later alert of the same incident, which is on the panel.
    is_upgrade = before is None or PRIORITY[frame.kind] < PRIORITY[before.kind]
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
            at_s=at_s,
            is_late=is_late,
            is_drill=frame.drill,
            # A repeat by somebody who was already answered from here does not shout again.
            is_sounded=before is not None and not is_upgrade and before.response is not None,
            response=None if is_upgrade or before is None else before.response,
            cancel_counter=cancel_counter,
            answer=None if is_upgrade or before is None else before.answer,
            revision=before.revision if before else -1,
        ),
    )


def cancel_came(turn: Turn, frame: Cancel) -> None:
    """Another member took an incident back. Alerts pressed after that stand."""
    remembered = dict(turn.state.cancelled)
    newest = max(frame.counter, remembered.pop(frame.incident_id, 0))
    turn.change(cancelled=(*remembered.items(), (frame.incident_id, newest))[-REMEMBERED_MAX:])
    before = _active(turn.state, frame.incident_id)
    if before is not None and frame.counter > before.alert.counter:
        _update(turn, replace(before, cancel_counter=frame.counter))


def central_state(turn: Turn, state: IncidentState, frame_id: FrameId) -> None:
    """Central's state of another member's incident: who answered, closed, and what we may have missed."""
    scheme = turn.state.directory.scheme_by_slug(state.scheme)
    if scheme is None or scheme.number not in turn.settings.scheme_numbers:
        turn.reject("not our scheme")
        return
    before = _active(turn.state, frame_id)
    if before is not None and state.revision < before.revision:
        return
    if state.state == "closed":
        drop(turn, frame_id)
        turn.change(ended=(*(i for i in turn.state.ended if i != frame_id), frame_id)[-REMEMBERED_MAX:])
        return
    kind = AlertKind.by_slug(state.kind)
    if kind not in MEMBERS_WARNED:
        return
    if before is None:
        before = _missed(turn, state, kind, frame_id, scheme.number)
        if before is None:
            return
    if PRIORITY[kind] < PRIORITY[before.kind]:  # The upgrade itself has not reached us.
        before = replace(before, kind=kind, arrived_ms=turn.now_ms, is_sounded=False, response=None)
    if state.late and before.alert == frame_id:
        before = _found_late(turn, before)
    cancel_counter = before.cancel_counter
    if state.cancelled is not None:
        cancel_counter = cancel_counter or before.alert.counter
    _activate(
        turn, replace(before, answer=_answer(turn, state), revision=state.revision, cancel_counter=cancel_counter)
    )


def shown(turn: Turn, event: ScreenShown) -> None:
    """The panel has the pixels. Said once for each alert, and first made durable."""
    if event.face != Face.NEIGHBOUR or Part.OLED in turn.state.faults:
        return
    try:
        frame_id = FrameId.parse(event.concerns)
    except DecodeError:
        return
    seen = _seen(turn.state, frame_id)
    if seen is None or seen.is_shown:
        return
    _remember(turn, frame_id, replace(seen, is_shown=True))
    entry = next((n for n in turn.state.neighbours if n.alert == frame_id), None)
    detail = {"kind": entry.kind.slug, "from_premises": entry.premises} if entry else {}
    turn.fact("shown", frame_id, **detail, is_late=str(seen.is_late).lower())
    if seen.is_late:
        turn.fact("late", frame_id, **detail)


def is_shown(state: NodeState, neighbour: Neighbour) -> bool:
    """Whether the panel has confirmed this alert."""
    seen = _seen(state, neighbour.alert)
    return seen is not None and seen.is_shown


def to_respond(state: NodeState, now_ms: int, response: MemberResponse) -> Neighbour | None:
    """The alert that a press of *seen* or *responding* is about, or ``None``.

    It is the one on display; if the panel is just telling of our own incident, the only one there is.
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
    """The press is noted; what it says is drafted by the caller."""
    _update(turn, replace(neighbour, response=response))


def judge_again(turn: Turn, neighbour: Neighbour) -> Neighbour:
    """It waited for the panel behind others, or for a panel that was broken: what would come late now is late (N13)."""
    seen = _seen(turn.state, neighbour.alert)
    if neighbour.is_late or seen is None or seen.is_shown or not _judge(turn, neighbour.at_s)[0]:
        return neighbour
    _remember(turn, neighbour.alert, replace(seen, is_late=True))
    late = replace(neighbour, is_late=True)
    _update(turn, late)
    return late


def _found_late(turn: Turn, neighbour: Neighbour) -> Neighbour:
    """Its frame bore no time, and central knows from its sender how long it waited there (N13)."""
    seen = _seen(turn.state, neighbour.alert)
    if seen is not None and not seen.is_late:
        _remember(turn, neighbour.alert, replace(seen, is_late=True))
    return replace(neighbour, is_late=True)


def sounded(turn: Turn, neighbour: Neighbour) -> None:
    """It has had its turn at the sounder."""
    _update(turn, replace(neighbour, is_sounded=True))


def drop(turn: Turn, incident: FrameId) -> None:
    """Off the panel."""
    turn.change(neighbours=tuple(n for n in turn.state.neighbours if n.incident != incident))


def expire(turn: Turn) -> None:
    """What was on the panel for long enough leaves it; what was taken in two days ago is forgotten."""
    oldest_ms = turn.now_ms - turn.timing.neighbour_shown_ms
    if any(n.arrived_ms <= oldest_ms for n in turn.state.neighbours):
        turn.change(neighbours=tuple(n for n in turn.state.neighbours if n.arrived_ms > oldest_ms))
    inbox = turn.state.inbox
    if turn.now_ms - inbox.turned_ms >= INBOX_TURN_MS or len(inbox.recent) >= INBOX_ROWS_MAX:
        turn.change(inbox=Inbox(Shelf(), inbox.recent, turn.now_ms, inbox.highest))


def drop_revoked(turn: Turn) -> None:
    """A sender that was struck off has nothing to say any more."""
    senders = turn.state.directory.senders
    kept = tuple(
        n
        for n in turn.state.neighbours
        if (sender := senders.get(n.incident.node)) is not None and not sender.is_revoked
    )
    if len(kept) != len(turn.state.neighbours):
        turn.change(neighbours=kept)


def is_stale(turn: Turn, frame: Alert | Cancel | Response) -> bool:
    """Whether it is older than what the inbox surely remembers: on the air, a replay or nearly.

    By the clock alone nothing is refused: with a wrong one, somebody's press would be. A press has a higher number
    than all before it; a replay of what was heard here has not.
    """
    now_s = true_time_s(turn.state, turn.now_ms)
    is_old = bool(frame.at_s and now_s) and 1000 * (now_s - frame.at_s) > INBOX_TURN_MS
    return is_old and not _is_newest(turn.state, frame.id)


def _is_newest(state: NodeState, frame_id: FrameId) -> bool:
    """Whether its number is above all that were heard of its sender."""
    return frame_id.counter > (state.inbox.highest.get(FrameId(frame_id.node, 0)) or 0)


def _is_undated_and_old(state: NodeState, frame: Alert) -> bool:
    """Whether a frame whose age nobody here can tell comes after a later one of its sender's (N13).

    What was on the air can be kept, and said again when the inbox has forgotten it.
    """
    if frame.at_s and true_time_s(state, state.now_ms):
        return False
    return not _is_newest(state, frame.id)


def _judge(turn: Turn, at_s: int) -> tuple[bool, int]:
    """Whether a press of that moment is late, and the moment to show (0 = unknown)."""
    now_s = true_time_s(turn.state, turn.now_ms)
    if not at_s:
        return False, wall_at_s(turn.state, turn.now_ms)
    if not now_s:
        return False, at_s
    if at_s > now_s + FUTURE_S:
        turn.reject("from the future")
        return False, now_s
    return (now_s - at_s) * 1000 > turn.timing.late_after_ms, at_s


def _missed(turn: Turn, state: IncidentState, kind: AlertKind, frame_id: FrameId, scheme: int) -> Neighbour | None:
    """An open incident whose alert never reached us, or reached us and was never shown."""
    seen = _seen(turn.state, frame_id)
    if seen is not None and seen.is_shown:
        return None
    is_late, at_s = _judge(turn, _unix_s(state.opened_at))
    is_late = is_late or state.late
    if seen is None:
        _remember(turn, frame_id, Seen(b"", is_shown=False, is_late=is_late))
    elif is_late != seen.is_late:
        _remember(turn, frame_id, replace(seen, is_late=is_late))
    return Neighbour(
        incident=frame_id,
        alert=frame_id,
        kind=kind,
        premises=display_text(state.premises, NAME_CHARS_MAX),
        place=display_text(state.place, NAME_CHARS_MAX),
        schemes=(scheme,),
        arrived_ms=turn.now_ms,
        at_s=at_s,
        is_late=is_late,
        is_drill=state.drill,
    )


def _answer(turn: Turn, state: IncidentState) -> Answered | None:
    if state.answer is None or state.state not in ("answered", "on-the-way"):
        return None
    said = AnswerState.ANSWERED if state.state == "answered" else AnswerState.ON_THE_WAY
    role = Role.by_slug(state.answer.role)
    return Answered(
        said,
        role.short if role else display_text(state.answer.role.upper(), 6),
        display_text(state.answer.name, NAME_CHARS_MAX),
        _unix_s(state.answer.at),
        turn.now_ms,
    )


def _unix_s(moment: datetime) -> int:
    try:
        return max(0, int(moment.timestamp()))
    except (OverflowError, ValueError):
        return 0


def _common(state: NodeState, schemes: tuple[int, ...]) -> tuple[int, ...]:
    ours = state.settings.scheme_numbers
    return tuple(scheme for scheme in schemes if scheme in ours)[:SCHEMES_PER_NODE_MAX]


def _seen(state: NodeState, frame_id: FrameId) -> Seen | None:
    return state.inbox.recent.get(frame_id) or state.inbox.older.get(frame_id)


def _remember(turn: Turn, frame_id: FrameId, seen: Seen) -> None:
    inbox = turn.state.inbox
    highest = inbox.highest
    if _is_newest(turn.state, frame_id):
        highest = highest.put(FrameId(frame_id.node, 0), frame_id.counter)
    turn.change(inbox=replace(inbox, recent=inbox.recent.put(frame_id, seen), highest=highest))
    turn.order(KeepSeen(frame_id, seen.digest, seen.is_shown))


def _active(state: NodeState, incident: FrameId) -> Neighbour | None:
    return next((n for n in state.neighbours if n.incident == incident), None)


def _update(turn: Turn, neighbour: Neighbour) -> None:
    turn.change(neighbours=tuple(neighbour if n.incident == neighbour.incident else n for n in turn.state.neighbours))


def _activate(turn: Turn, neighbour: Neighbour) -> None:
    others = (n for n in turn.state.neighbours if n.incident != neighbour.incident)
    ranked = sorted((*others, neighbour), key=order_of)
    if len(ranked) > ACTIVE_MAX:
        turn.reject("too many alerts")
    turn.change(neighbours=tuple(ranked[:ACTIVE_MAX]))
