"""A frame of ours that central will never take is stored again under a new counter (N2).

Its row stays, sent and refused, until the disk has the new one, so that a crash in between loses nothing. An incident
that it opened gets a new key; other frames of that incident keep their bytes.
"""

from __future__ import annotations

from msgspec.structs import replace

from node.core import delivery
from node.core.effects import AlertDraft, CancelDraft, ResponseDraft
from node.core.incident.lifecycle import happen, holder, keep
from node.core.press import drafts, requests
from node.core.state import CancelProgress, PendingDraft, Row
from node.core.table import Happening
from node.core.turn import Turn
from wire.frames import Alert, Cancel, Frame, Response
from wire.kinds import LeftWhenAsked


def renew(turn: Turn, row: Row, *, is_plain: bool = False) -> None:
    """Central will not take this frame: order its content stored again. Idempotent.

    Args:
        turn: the step.
        row: of the outbox.
        is_plain: without the person it is about, of which this central knows nothing (ADR 0036).
    """
    frame = row.signed.frame
    content = _content_of(frame)
    if is_plain and isinstance(content, AlertDraft):
        content = replace(content, about=0, left=LeftWhenAsked.NOT_ASKED)
    drafts.forget_unsaved(turn, frame.counter)
    if any(draft.replaces == frame.counter for draft in turn.state.drafts):
        return
    if content is None:
        delivery.drop(turn, frame.counter)
        return
    number = turn.state.next_draft
    turn.state.next_draft = number + 1
    turn.fact("refused", frame.id, draft=str(number))
    key = _without(turn, frame, number) if isinstance(frame, Alert) else 0
    requests.renewed(turn, frame.id, number)
    draft = PendingDraft(number, content, key, frame.at_s, row.pressed_ms, replaces=frame.counter)
    drafts.add(turn, draft)


def without_persons(turn: Turn) -> None:
    """Central knows nothing of alerts about a person, or no longer: what it would refuse for ever goes out without."""
    for _, row in tuple(turn.state.outbox.rows.oldest()):
        if isinstance(row.signed.frame, Alert) and row.signed.frame.about:
            renew(turn, row, is_plain=True)


def _without(turn: Turn, alert: Alert, number: int) -> int:
    """Make its incident wait for the new frame instead; returns the incident's key."""
    incident = holder(turn.state, alert.incident, alert.counter)
    is_opening = alert.incident == alert.counter
    key = -number if is_opening else alert.incident if incident is None else incident.key
    if incident is None:
        return key
    incident = replace(incident, waiting=tuple(row for row in incident.waiting if row[0] != alert.counter))
    if incident.latest == alert.counter:
        incident = replace(incident, latest=None, latest_draft=number)
    if is_opening and incident.cancel is not CancelProgress.NONE:
        # What was cancelled at central was the other incident with that number.
        incident = replace(incident, cancel=CancelProgress.WANTED)
    if is_opening:
        # So was everything heard about it.
        incident = replace(incident, answer=None, ahead=None, members=(), revision=-1, ack_counter=0)
    keep(turn, incident)
    if is_opening:
        # It is answered no more: who answered, answered that other incident.
        happen(turn, incident.key, Happening.TAKEN_BACK)
        drafts.rename(turn, incident.key, key)
    return key


def _content_of(frame: Frame) -> AlertDraft | CancelDraft | ResponseDraft | None:
    """Its content as a draft; ``None`` for a path test: another will be due."""
    match frame:
        case Alert():
            incident = None if frame.incident == frame.counter else frame.incident
            return AlertDraft(frame.kind, incident, frame.schemes, frame.silent, frame.drill, frame.about, frame.left)
        case Cancel():
            return CancelDraft(frame.incident, frame.reason, frame.schemes)
        case Response():
            return ResponseDraft(frame.target, frame.response, frame.schemes)
        case _:
            return None
