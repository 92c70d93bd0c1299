"""Start: the disk's contents become what is sent and shown, without claiming anything that is not known.

Restored incidents are marked as such until central mentions them again: an alert without a receipt is still
undelivered; one with a receipt was received, and what became of it is not known.

A disk that could not be read at the start may be readable later: then ``Started`` comes again, and what this run has
learnt meanwhile takes precedence over the disk.
"""

from __future__ import annotations

from msgspec.structs import replace

from node.core import delivery, scales
from node.core.events import Started, StoredFrame
from node.core.gallery_state import Person
from node.core.incident.lifecycle import on_view
from node.core.ledger import Ledger, Shelf
from node.core.link import told
from node.core.radio_state import Usage
from node.core.state import CancelProgress, Configuring, Inbox, Incident, Row, Seen
from node.core.table import Phase
from node.core.turn import Turn
from wire.frames import Alert, Cancel, PathTest
from wire.ids import FrameId
from wire.kinds import PRIORITY, most_urgent


def started(turn: Turn, event: Started) -> None:
    """Take over the disk's contents."""
    rows: list[tuple[int, Row]] = []
    incidents: dict[int, Incident] = {}
    due: list[tuple[int, int]] = []
    for stored in event.outbox:
        frame = stored.signed.frame
        if frame.sender != turn.settings.node:
            turn.reject("outbox sender")  # Another node's card: its frames are not ours to send.
            continue
        if isinstance(frame, PathTest):
            continue  # From an earlier run: what it could have proven is useless now (N11).
        if not stored.is_receipted:
            rows.append((frame.counter, Row(stored.signed, stored.stored_ms)))
        if isinstance(frame, Alert | Cancel) and stored.is_receipted and frame.incident in event.told.closed:
            continue  # Central has closed it: it stays off the panel, whatever older message of central's arrives.
        if isinstance(frame, Alert):
            incidents[frame.incident] = _with_alert(incidents.get(frame.incident), frame, stored, turn.now_ms)
        elif isinstance(frame, Cancel) and frame.incident in incidents:
            progress = CancelProgress.RECEIVED if stored.is_receipted else CancelProgress.SAVED
            incidents[frame.incident] = replace(incidents[frame.incident], cancel=progress)
    state = turn.state
    restored = {k: _settled(turn, i, due) for k, i in incidents.items() if k not in state.incidents}
    rows = [row for row in rows if row[0] not in state.outbox.rows]
    if not state.is_started:
        turn.state.radio.own_use = Usage(event.airtime)
        turn.state.configuring = Configuring(event.settings, is_trial=event.settings.is_begun)
    turn.state.inbox = _inbox(turn, event)  # While it is still known whether this is the first start.
    turn.state.is_store_read = event.is_store_read
    turn.state.started_ms = state.started_ms if state.is_started else turn.now_ms
    turn.state.is_started = True
    turn.state.boot_id = state.boot_id or event.boot_id
    turn.state.secret = state.secret or event.secret
    turn.state.last_counter = max(state.last_counter, event.last_counter, *(counter for counter, _ in rows), 0)
    turn.state.directory = event.directory if event.directory.serial >= state.directory.serial else state.directory
    turn.state.incidents = Ledger((*restored.items(), *state.incidents.oldest()))
    turn.state.recent = on_view((*sorted(restored), *state.recent), turn.state.incidents)
    turn.state.weekly_test = replace(state.weekly_test, good_at_s=event.tested_at_s, since_at_s=event.test_since_at_s)
    told.restore(turn, event.told)
    delivery.restore(turn, rows, due)
    if not state.central.scales:
        scales.restore(turn, event.scales)


def _inbox(turn: Turn, event: Started) -> Inbox:
    inbox = turn.state.inbox if turn.state.is_started else Inbox(turned_ms=turn.now_ms)
    recent = inbox.recent
    for row in event.inbox if len(recent) else ():
        mine = recent.get(row.id)
        if mine is not None:
            recent = recent.put(row.id, replace(mine, shown=most_urgent(mine.shown, row.shown)))
    older = Shelf((row.id, Seen(row.digest, row.shown, is_restored=row.shown is not None)) for row in event.inbox)
    known = inbox.highest
    for heard in (*event.highest, *(row.id for row in event.inbox)):
        sender = FrameId(heard.node, 0)
        if heard.counter > (known.get(sender) or 0):
            known = known.put(sender, heard.counter)
    return replace(inbox, recent=recent, older=older, highest=known)


def _with_alert(before: Incident | None, frame: Alert, stored: StoredFrame, now_ms: int) -> Incident:
    waiting = () if stored.is_receipted else ((frame.counter, frame.kind),)
    if before is None:
        return Incident(
            key=frame.incident,
            phase=Phase.STORED,
            kind=frame.kind,
            latest_kind=frame.kind,
            latest=frame.counter,
            latest_draft=0,
            waiting=waiting,
            opened_ms=stored.stored_ms,
            pressed_ms=stored.stored_ms,
            pressed_at_s=frame.at_s,
            changed_ms=now_ms,
            is_silent=frame.silent,
            is_restored=True,
            schemes=frame.schemes,
            about=Person(frame.schemes[0], frame.about) if frame.about else None,
        )
    return replace(
        before,
        kind=min(before.kind, frame.kind, key=PRIORITY.__getitem__),
        latest_kind=frame.kind,
        latest=frame.counter,
        waiting=before.waiting + waiting,
        pressed_ms=stored.stored_ms,
        pressed_at_s=frame.at_s,
        is_silent=before.is_silent or frame.silent,
    )


def _settled(turn: Turn, incident: Incident, due: list[tuple[int, int]]) -> Incident:
    """Its true phase now; after a very recent press a receipt may still be in time."""
    if incident.cancel is not CancelProgress.NONE:
        return replace(incident, phase=Phase.CANCELLED)
    decisive = [
        counter
        for counter, kind in incident.waiting
        if counter == incident.latest or PRIORITY[kind] < PRIORITY[incident.latest_kind]
    ]
    if not decisive:
        return replace(incident, phase=Phase.RECEIVED, received_ms=turn.now_ms)
    due_ms = None if incident.pressed_ms is None else incident.pressed_ms + turn.timing.receipt_due_ms
    if due_ms is None or due_ms <= turn.now_ms:
        return replace(incident, phase=Phase.UNDELIVERED)
    due.extend((due_ms, counter) for counter in decisive)
    return incident
