"""How our own incidents move through :data:`node.core.table.INCIDENT`, and the consequences of each move."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from msgspec.structs import replace

from node.core.controls import SoundPattern
from node.core.incident.sounder import play_for_own
from node.core.ledger import Ledger
from node.core.state import RECENT_MAX, CancelProgress, Incident, NodeState
from node.core.table import INCIDENT, UNSETTLED, Happening, Phase, after
from node.core.turn import Timer, Turn
from wire.ids import FrameId
from wire.kinds import ABOUT_PERSONS, PRIORITY, AlertKind, AnswerState, Path

CLOSED_MAX: Final = 64
_SOUNDS: Final = {
    Phase.REFUSED: SoundPattern.UNDELIVERED,
    Phase.UNDELIVERED: SoundPattern.UNDELIVERED,
    Phase.RECEIVED: SoundPattern.CONFIRM,
    Phase.ANSWERED: SoundPattern.CONFIRM,
    Phase.ON_THE_WAY: SoundPattern.CONFIRM,
}
_ANSWERS: Final = {
    AnswerState.ANSWERED: Happening.ANSWERED,
    AnswerState.ON_THE_WAY: Happening.SET_OUT,
    AnswerState.CLOSED: Happening.CLOSED,
}


def incident_id(state: NodeState, incident: Incident) -> FrameId | None:
    """Its id; ``None`` while its opening alert is not on disk."""
    return FrameId(state.settings.node, incident.key) if incident.key > 0 else None


def is_unsaved(state: NodeState, incident: Incident) -> bool:
    """Whether its last press was sent but is not on disk, so that a restart would forget it."""
    return any(draft.signed is not None and draft.signed.frame.counter == incident.latest for draft in state.drafts)


def keep(turn: Turn, incident: Incident) -> None:
    """Store the incident's new state."""
    turn.state.incidents = turn.state.incidents.put(incident.key, incident)


def open_incident(turn: Turn, incident: Incident, *, is_older: bool = False) -> None:
    """Add a new one, on top of the view; one beyond :data:`RECENT_MAX` leaves the view, not the memory.

    Args:
        turn: the step.
        incident: not known here yet.
        is_older: it was pressed before all that we remember, so it goes to the bottom.
    """
    keep(turn, incident)
    recent = turn.state.recent
    recent = (incident.key, *recent) if is_older else (*recent, incident.key)
    turn.state.recent = on_view(recent, turn.state.incidents)


def on_view(recent: Iterable[int], incidents: Ledger[Incident]) -> tuple[int, ...]:
    """Which of these keys, oldest first, stay on view: at most :data:`RECENT_MAX`.

    Breaches and sightings leave first, then the oldest: what the gallery reports must never push out a press, least of
    all a silent attack, whose rules hold as long as it is on view (N4).
    """
    keys = tuple(recent)

    def is_press(key: int) -> bool:
        incident = incidents.get(key)
        return incident is not None and incident.kind not in ABOUT_PERSONS

    gone = frozenset(sorted(keys, key=is_press)[: max(0, len(keys) - RECENT_MAX)])
    return tuple(key for key in keys if key not in gone)


def timers(state: NodeState) -> Iterator[Timer]:
    """Closed incidents leave the panel."""
    for key in state.recent:
        incident = state.incidents.get(key)
        if incident is not None and incident.phase is Phase.CLOSED:
            yield incident.changed_ms + state.settings.timing.outcome_shown_ms, partial(forget, key=key)


def forget(turn: Turn, key: int) -> None:
    """Drop an incident that is over and was shown."""
    turn.state.incidents = turn.state.incidents.drop(key)
    turn.state.recent = tuple(other for other in turn.state.recent if other != key)


def happen(turn: Turn, key: int, happening: Happening) -> bool:
    """Move an incident; returns whether its phase changed. An unknown key changes nothing."""
    incident = turn.state.incidents.get(key)
    if incident is None:
        return False
    phase = after(INCIDENT, incident.phase, happening)
    if phase is incident.phase:
        return False
    was_unsettled = incident.phase in UNSETTLED
    incident = replace(incident, phase=phase, changed_ms=turn.now_ms)
    if was_unsettled and phase not in UNSETTLED and phase is not Phase.CANCELLED:
        incident = replace(incident, received_ms=turn.now_ms)
    keep(turn, incident)
    if phase in _SOUNDS and happening is not Happening.TAKEN_BACK:
        play_for_own(turn, incident, _SOUNDS[phase])
    if happening is Happening.REOPENED:
        reopened(turn, key)
    if happening is Happening.CLOSED:
        closed(turn, key)
        turn.fact("closed", incident_id(turn.state, incident))
    return True


def closed(turn: Turn, key: int) -> None:
    """Central has closed an incident of ours."""
    if key > 0:
        others = (other for other in turn.state.closed if other != key)
        turn.state.closed = (*others, key)[-CLOSED_MAX:]


def reopened(turn: Turn, key: int) -> None:
    """Central has it open again."""
    turn.state.closed = tuple(other for other in turn.state.closed if other != key)


def holder(state: NodeState, key: int, counter: int) -> Incident | None:
    """The incident of ours that an alert belongs to: by its key or, if that was renewed, by its waiting alerts."""
    incident = state.incidents.get(key)
    if incident is not None:
        return incident
    found = (state.incidents.get(other) for other in state.recent)
    return next((i for i in found if i is not None and any(row[0] == counter for row in i.waiting)), None)


def is_decisive(incident: Incident, counter: int, kind: AlertKind) -> bool:
    """Whether the presser must be told this alert's fate: the last one, or an earlier, more urgent one."""
    return counter == incident.latest or PRIORITY[kind] < PRIORITY[incident.latest_kind]


def receipted(turn: Turn, key: int, counter: int, *, is_late: bool, path: Path | None = None) -> None:
    """Central has committed one of the incident's alerts; its receipt came by ``path``."""
    incident = holder(turn.state, key, counter)
    if incident is None:
        return
    key = incident.key
    waiting = tuple(row for row in incident.waiting if row[0] != counter)
    incident = replace(incident, waiting=waiting)
    if counter == incident.latest:
        incident = replace(incident, is_late=is_late, path=path)
    if incident.kind is AlertKind.TEST:
        turn.state.weekly_test = replace(turn.state.weekly_test, good_ms=turn.now_ms)
    if not waiting and incident.received_ms is None:
        incident = replace(incident, received_ms=turn.now_ms)
    keep(turn, incident)
    if any(is_decisive(incident, *row) for row in waiting):
        return
    if not happen(turn, key, Happening.RECEIPTED) or incident.answer is None:
        return
    said = incident.answer.state
    # Someone on the way still comes; who had only answered, or closed it, did so before this press.
    if said in _ANSWERS and (said is AnswerState.ON_THE_WAY or not incident.is_answer_to_earlier(incident.answer)):
        happen(turn, key, _ANSWERS[said])
    elif said is AnswerState.CLOSED and (incident := turn.state.incidents.get(key)) is not None:
        keep(turn, replace(incident, answer=None))


def on_air(turn: Turn, counter: int) -> None:
    """The radio takes on one of our alerts whose receipt is overdue, before its random wait (N8).

    Tells the presser once; repetitions, and alerts that are not decisive, change nothing.
    """
    key = _decided_by(turn.state, counter)
    if key is not None:
        happen(turn, key, Happening.RADIO_HAS_IT)


def overdue(turn: Turn, counter: int) -> None:
    """The receipt of one of our alerts has not come in time; the radio has had its first chance, if there is one."""
    key = _decided_by(turn.state, counter)
    if key is not None and happen(turn, key, Happening.RECEIPT_OVERDUE):
        turn.fact("undelivered", FrameId(turn.settings.node, counter), reason="no receipt")


def _decided_by(state: NodeState, counter: int) -> int | None:
    """The incident of ours that this alert decides; ``None`` = none."""
    for key in state.recent:
        incident = state.incidents.get(key)
        for waiting, kind in incident.waiting if incident is not None else ():
            if incident is not None and waiting == counter:
                return key if is_decisive(incident, counter, kind) else None
    return None


def is_cancelled(incident: Incident) -> bool:
    """The presser has cancelled it, whether or not that is on disk yet."""
    return incident.cancel is not CancelProgress.NONE or incident.phase is Phase.CANCELLED
