"""From a gesture to a frame on disk (N2): every press becomes a draft, and no draft is lost.

The order to store goes out in the same step as the gesture. A frame that the disk refuses is still sent, if it could
be numbered, and shown as NOT SAVED (ADR 0018). Its draft stays in memory and is ordered again every ``part_retry_ms``,
at once when the disk accepts something else, and at once at the next press, until it is stored or the presser cancels
it. A draft of an incident whose opening alert has no counter yet waits for that.

Which incident a press belongs to: see :mod:`node.core.press.joining`.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from node.core import delivery, parts
from node.core.controls import Part
from node.core.effects import (
    AlertDraft,
    CancelDraft,
    Draft,
    MarkReceipted,
    PathTestDraft,
    ResponseDraft,
    StoreFrame,
)
from node.core.events import FrameStored, StoredFrame, StoreRefused
from node.core.gallery_state import Person
from node.core.incident.hush import is_hushed
from node.core.incident.lifecycle import forget, happen, holder, is_cancelled, keep, open_incident
from node.core.incident.sounder import rename_own
from node.core.neighbours import alerts as neighbours
from node.core.press import requests
from node.core.press.joining import joined
from node.core.radio import path_tests, weekly_test
from node.core.scales import shown_at_s, stamp_s
from node.core.state import CancelProgress, Incident, NodeState, PendingDraft, wall_at_s
from node.core.table import Happening, Phase
from node.core.turn import Timer, Turn
from wire.frames import Alert, Cancel, Frame, PathTest, SignedFrame
from wire.kinds import PRIORITY, AlertKind, AnswerState, CancelReason, MemberResponse, Path
from wire.limits import SCHEMES_PER_NODE_MAX


def press(turn: Turn, kind: AlertKind, at_ms: int) -> None:
    """Someone raised an alert."""
    state = turn.state
    incident = joined(state, kind, turn.now_ms)
    waiting = _waiting_alike(state, incident, kind)
    if waiting is not None:
        # The same press again, and the disk has refused the first: try that one at once.
        turn.fact("pressed", None, kind=kind.slug, draft=str(waiting.number))
        retry_refused(turn, is_press=True)
        return
    is_silent = (
        (kind is AlertKind.ATTACK and turn.settings.is_attack_silent)
        or (incident is not None and incident.is_silent)
        or is_hushed(state, turn.now_ms)
    )
    content = AlertDraft(kind, incident.key if incident else None, _schemes(state), silent=is_silent, drill=False)
    begin(turn, content, incident, at_ms, is_hidden=is_silent)


def begin(
    turn: Turn,
    content: AlertDraft,
    incident: Incident | None,
    at_ms: int,
    *,
    is_hidden: bool,
    about: Person | None = None,
) -> None:
    """An alert is raised: note it in its incident, and order it stored.

    Args:
        turn: the step.
        content: the alert.
        incident: that it joins; ``None`` opens one.
        at_ms: when it was pressed.
        is_hidden: the incident is part of a silent attack (N4).
        about: whom it is about, if anybody.
    """
    state, kind, number = turn.state, content.kind, turn.state.next_draft
    at_s = shown_at_s(state, at_ms)
    turn.state.next_draft = number + 1
    turn.fact("pressed", None, kind=kind.slug, draft=str(number))
    if incident is None:
        incident = Incident(
            key=-number,
            phase=Phase.DRAFTED,
            kind=kind,
            latest_kind=kind,
            latest=None,
            latest_draft=number,
            waiting=(),
            opened_ms=at_ms,
            pressed_ms=at_ms,
            pressed_at_s=at_s,
            changed_ms=turn.now_ms,
            is_silent=is_hidden,
            schemes=content.schemes,
            about=about,
        )
        open_incident(turn, incident)
    else:
        happen(turn, incident.key, Happening.PRESSED_AGAIN)
        incident = turn.state.incidents.get(incident.key) or incident
        is_upgrade = PRIORITY[kind] < PRIORITY[incident.kind]
        keep(
            turn,
            replace(
                incident,
                kind=kind if is_upgrade else incident.kind,
                latest_kind=kind,
                latest=None,
                latest_draft=number,
                pressed_ms=at_ms,
                pressed_at_s=at_s,
                changed_ms=turn.now_ms,
                is_silent=is_hidden,
                is_late=False,
                # An answer to the lesser alert does not answer this one.
                answer=None if is_upgrade else incident.answer,
                # Nor was this one closed: what becomes of it is news.
                ahead=None if is_upgrade or incident.ahead is AnswerState.CLOSED else incident.ahead,
            ),
        )
    add(turn, PendingDraft(number, content, incident.key, stamp_s(state, at_ms), at_ms))
    retry_refused(turn, is_press=True)


def cancel(turn: Turn, at_ms: int) -> None:
    """The presser cancels the newest open incident (N6); while a silent attack hides everything, that."""
    incident = _to_cancel(turn.state)
    if incident is None:
        turn.hint("CANCEL", "Nothing to cancel")
    elif incident.key < 0 and not _is_issued(turn.state, incident):
        _withdraw(turn, incident)
    else:
        _drop_refused(turn, incident.key)
        keep(turn, replace(incident, cancel=CancelProgress.WANTED))
        if incident.key > 0:
            _draft_cancel(turn, incident.key, at_ms)


def respond(turn: Turn, response: MemberResponse, at_ms: int) -> None:
    """Someone pressed *seen* or *responding* on the neighbour's alert on display (N5)."""
    neighbour = neighbours.to_respond(turn.state, turn.now_ms, response)
    if neighbour is None:
        return
    number = turn.state.next_draft
    turn.state.next_draft = number + 1
    neighbours.responded(turn, neighbour, response)
    content = ResponseDraft(neighbour.incident, response, neighbour.schemes)
    add(turn, PendingDraft(number, content, 0, stamp_s(turn.state, at_ms), at_ms))


def stored(turn: Turn, event: FrameStored) -> None:
    """The disk has it: only now may it be shown and sent."""
    draft = _find(turn.state, event.draft)
    _remove(turn, event.draft)
    if turn.state.is_store_refusing:
        parts.recovered(
            turn, Part.STORE
        )  # Our own fault report is cleared; a driver's stays until the driver clears it.
    turn.state.is_store_refusing = False
    if draft is not None and draft.signed is not None:
        _saved_at_last(turn, event.signed.frame)
    else:
        _numbered(turn, event.signed, draft, Happening.SAVED)
    retry_refused(turn)


def refused(turn: Turn, event: StoreRefused) -> None:
    """The disk refused it: say so at once, send it, and keep trying to save it."""
    parts.failed(turn, Part.STORE, event.detail)
    turn.state.is_store_refusing = True
    draft = None if event.draft is None else _find(turn.state, event.draft)
    if draft is None:
        return
    if isinstance(draft.content, PathTestDraft):
        _remove(turn, draft.number)  # Another will be due; only this one's number must never be reused.
        if event.signed is not None:
            _numbered(turn, event.signed, draft, Happening.SENT_UNSAVED)
        return
    incident = turn.state.incidents.get(draft.incident)
    is_sent = draft.signed is not None
    if isinstance(draft.content, AlertDraft) and incident is not None and is_cancelled(incident) and not is_sent:
        # It was cancelled before the disk answered: nothing more to save.
        _remove(turn, draft.number)
        if incident.key < 0:
            _withdraw(turn, incident)
        return
    signed = draft.signed or event.signed
    retry_at_ms = turn.now_ms + turn.timing.part_retry_ms
    again = replace(draft, is_issued=False, retry_at_ms=retry_at_ms, is_refused=True, signed=signed)
    _remove(turn, draft.number)
    # Last in line: one that the disk never takes must not hold up the others. Those already ordered wait for one of
    # them.
    others = (replace(d, retry_at_ms=retry_at_ms) if d.signed and not d.is_issued else d for d in turn.state.drafts)
    turn.state.drafts = (*others, again)
    turn.state.is_sent_unsaved = signed is not None
    if signed is None:
        _not_sent(turn, draft, incident)
    elif not is_sent:
        _numbered(turn, signed, draft, Happening.SENT_UNSAVED)


def retry_refused(turn: Turn, *, is_press: bool = False) -> None:
    """Order refused drafts again at once; a press does not wait for those already ordered."""
    for draft in turn.state.drafts:
        if draft.is_refused and not draft.is_issued and not (is_press and draft.signed is not None):
            _issue(turn, draft.number)


def stopping(turn: Turn) -> None:
    """Offer everything to the disk a last time; its answer comes too late, so receipts are ordered beside it."""
    retry_refused(turn)
    for kept in receipted_unsaved(turn.state):
        turn.order(MarkReceipted(kept.signed.frame.id))


def receipted_unsaved(state: NodeState) -> tuple[StoredFrame, ...]:
    """Frames that central has and our disk does not: no list of the disk's names them."""
    rows = state.outbox.rows
    signed = ((d.signed, d.pressed_ms) for d in state.drafts if d.signed and d.signed.frame.counter not in rows)
    return tuple(StoredFrame(frame, pressed_ms, is_receipted=True) for frame, pressed_ms in signed)


def timers(state: NodeState) -> Iterator[Timer]:
    """The next path test, and refused drafts that are ordered again."""
    next_ms = path_tests.next_ms(state)
    if next_ms is not None:
        yield next_ms, _test_path
    retries = [draft.retry_at_ms for draft in state.drafts if draft.retry_at_ms is not None]
    if retries:
        yield min(retries), _retry


def _test_path(turn: Turn) -> None:
    if path_tests.is_to_be_drafted(turn):
        number = turn.state.next_draft
        turn.state.next_draft = number + 1
        test = PathTestDraft(Path.RADIO)
        add(turn, PendingDraft(number, test, 0, stamp_s(turn.state, turn.now_ms), turn.now_ms))


def _retry(turn: Turn) -> None:
    is_probed = False
    for draft in turn.state.drafts:
        if draft.retry_at_ms is None or draft.retry_at_ms > turn.now_ms:
            continue
        if draft.signed is not None and is_probed:
            # One shows whether the disk accepts anything again; the others follow at once.
            _replace(turn, replace(draft, retry_at_ms=turn.now_ms + turn.timing.part_retry_ms))
            continue
        is_probed = is_probed or draft.signed is not None
        _issue(turn, draft.number)


def _schemes(state: NodeState) -> tuple[int, ...]:
    return tuple(sorted(set(state.settings.scheme_numbers)))[:SCHEMES_PER_NODE_MAX]


def _waiting_alike(state: NodeState, incident: Incident | None, kind: AlertKind) -> PendingDraft | None:
    if incident is None:
        return None
    for draft in state.drafts:
        is_alike = isinstance(draft.content, AlertDraft) and draft.content.kind is kind
        # One that is on its way is a press of its own; the next is told to central beside it.
        if draft.incident == incident.key and is_alike and not draft.is_issued and draft.signed is None:
            return draft
    return None


def _numbered(turn: Turn, signed: SignedFrame, draft: PendingDraft | None, happening: Happening) -> None:
    """It has its final counter: adopt it and send it. ``happening``: whether the disk took or refused it."""
    frame = signed.frame
    turn.state.last_counter = max(turn.state.last_counter, frame.counter)
    if isinstance(frame, Alert):
        _alert_numbered(turn, frame, draft, happening)
    elif isinstance(frame, Cancel) and happening is Happening.SAVED:
        _cancel_stored(turn, frame)
    elif isinstance(frame, Cancel):
        turn.hint("CANCEL", "Not saved here", "Being sent")
    elif isinstance(frame, PathTest):
        path_tests.stored(turn, frame.counter)
    delivery.add(turn, signed, draft.pressed_ms if draft else turn.now_ms)
    if draft is not None and draft.replaces:
        delivery.drop(turn, draft.replaces)


def _not_sent(turn: Turn, draft: PendingDraft, incident: Incident | None) -> None:
    """Neither on disk nor numbered."""
    if isinstance(draft.content, AlertDraft) and incident is not None:
        if draft.number == incident.latest_draft:
            happen(turn, incident.key, Happening.SAVE_REFUSED)
        if not draft.is_refused:
            turn.fact("undelivered", None, reason="not saved", draft=str(draft.number))
            requests.not_numbered(turn, draft.number)
    elif isinstance(draft.content, CancelDraft) and not draft.is_refused:
        turn.hint("CANCEL", "Not saved yet", "Trying again")


def _saved_at_last(turn: Turn, frame: Frame) -> None:
    """The disk has taken a frame that was sent unsaved."""
    if frame.counter not in turn.state.outbox.rows:
        turn.order(MarkReceipted(frame.id))  # The receipt came first.
    if isinstance(frame, Alert):
        turn.fact("stored", frame.id, kind=frame.kind.slug, incident=frame.incident_id.text)
        incident = holder(turn.state, frame.incident, frame.counter)
        if incident is not None and incident.latest == frame.counter:
            happen(turn, incident.key, Happening.SAVED)
    elif isinstance(frame, Cancel):
        _cancel_stored(turn, frame)


def forget_unsaved(turn: Turn, counter: int) -> None:
    """Central will never take this frame: it need not be saved any more."""
    turn.state.drafts = tuple(d for d in turn.state.drafts if d.signed is None or d.signed.frame.counter != counter)


def _alert_numbered(turn: Turn, frame: Alert, draft: PendingDraft | None, happening: Happening) -> None:
    key = frame.incident
    if draft is not None:
        requests.numbered(turn, draft.number, frame)
    if draft is not None and draft.incident < 0:
        rename(turn, draft.incident, key)
    incident = turn.state.incidents.get(key)
    fact = "stored" if happening is Happening.SAVED else "unsaved"
    turn.fact(fact, frame.id, kind=frame.kind.slug, incident=frame.incident_id.text)
    weekly_test.numbered(turn, frame)
    if incident is None:
        return
    is_latest = draft is not None and draft.number == incident.latest_draft
    incident = replace(incident, waiting=(*incident.waiting, (frame.counter, frame.kind)))
    keep(turn, replace(incident, latest=frame.counter) if is_latest else incident)
    if is_latest:
        happen(turn, key, happening)
    if incident.cancel is CancelProgress.WANTED and not _has_cancel_draft(turn.state, key):
        _draft_cancel(turn, key, turn.now_ms)
    for waiting in turn.state.drafts:
        if waiting.incident == key and not waiting.is_refused:
            _issue(turn, waiting.number)


def _cancel_stored(turn: Turn, frame: Cancel) -> None:
    incident = turn.state.incidents.get(frame.incident)
    turn.fact("cancelled", frame.incident_id, reason=frame.reason.name.lower().replace("_", "-"))
    if incident is not None and incident.cancel is not CancelProgress.RECEIVED:
        keep(turn, replace(incident, cancel=CancelProgress.SAVED))
        happen(turn, incident.key, Happening.CANCEL_SAVED)


def rename(turn: Turn, old_key: int, key: int) -> None:
    """An incident gets its counter: change its key everywhere."""
    incident = turn.state.incidents.get(old_key)
    if incident is None:
        return
    turn.state.incidents = turn.state.incidents.drop(old_key).put(key, replace(incident, key=key))
    turn.state.recent = tuple(key if other == old_key else other for other in turn.state.recent)
    turn.state.drafts = tuple(replace(d, incident=key) if d.incident == old_key else d for d in turn.state.drafts)
    rename_own(turn, old_key, key)


def _to_cancel(state: NodeState) -> Incident | None:
    found = [state.incidents.get(key) for key in reversed(state.recent)]
    open_ones = [i for i in found if i is not None and i.phase is not Phase.CLOSED and not is_cancelled(i)]
    real = [i for i in open_ones if i.kind is not AlertKind.TEST]
    # Whoever cancels now knows of their press, not of what is reported beside it.
    hidden = [i for i in real if i.is_silent] if is_hushed(state, state.now_ms) else []
    return next(iter(hidden or real or open_ones), None)


def _withdraw(turn: Turn, incident: Incident) -> None:
    """Drop an incident of which nothing was ever on disk or sent: nobody needs to be told."""
    _drop_refused(turn, incident.key)
    happen(turn, incident.key, Happening.WITHDRAWN)
    forget(turn, incident.key)
    if not incident.is_silent:
        turn.hint("CLEARED", "Nothing was sent")


def _draft_cancel(turn: Turn, key: int, at_ms: int) -> None:
    incident = turn.state.incidents.get(key)
    if incident is None:
        return
    is_young = incident.pressed_ms is not None and at_ms - incident.pressed_ms <= turn.timing.mistake_ms
    reason = CancelReason.MISTAKE if is_young else CancelReason.STAND_DOWN
    number = turn.state.next_draft
    turn.state.next_draft = number + 1
    # Of what one scheme was told, no other hears, not even that it is taken back.
    schemes = tuple(scheme for scheme in incident.schemes if scheme in turn.settings.scheme_numbers)
    content = CancelDraft(key, reason, schemes or _schemes(turn.state))
    add(turn, PendingDraft(number, content, key, stamp_s(turn.state, at_ms), at_ms))


def add(turn: Turn, draft: PendingDraft) -> None:
    """Add a draft, and order it stored now if possible."""
    turn.state.drafts = (*turn.state.drafts, draft)
    _issue(turn, draft.number)


def _issue(turn: Turn, number: int) -> None:
    draft = _find(turn.state, number)
    if draft is None or draft.is_issued:
        return
    content: Draft = draft.content
    if isinstance(content, AlertDraft) and content.incident is not None:
        if draft.incident < 0:
            return  # The opening alert has no counter yet; its FrameStored issues this one.
        content = replace(content, incident=draft.incident)
    # A frame stored again may be from an earlier boot: for the counter's floor any proven time will do.
    wall_s = wall_at_s(turn.state, turn.now_ms if draft.pressed_ms is None else draft.pressed_ms)
    turn.order(StoreFrame(number, content, draft.at_s, draft.replaces, wall_s, draft.signed, draft.pressed_ms))
    _replace(turn, replace(draft, is_issued=True, retry_at_ms=None))


def _find(state: NodeState, number: int) -> PendingDraft | None:
    return next((draft for draft in state.drafts if draft.number == number), None)


def _replace(turn: Turn, draft: PendingDraft) -> None:
    turn.state.drafts = tuple(draft if d.number == draft.number else d for d in turn.state.drafts)


def _remove(turn: Turn, number: int) -> None:
    turn.state.drafts = tuple(d for d in turn.state.drafts if d.number != number)


def _drop_refused(turn: Turn, key: int) -> None:
    turn.state.drafts = tuple(
        d
        for d in turn.state.drafts
        if d.incident != key or d.is_issued or d.signed is not None or not isinstance(d.content, AlertDraft)
    )


def _is_issued(state: NodeState, incident: Incident) -> bool:
    return any(d.incident == incident.key and d.is_issued for d in state.drafts)


def _has_cancel_draft(state: NodeState, key: int) -> bool:
    return any(d.incident == key and isinstance(d.content, CancelDraft) for d in state.drafts)
