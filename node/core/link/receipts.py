"""Central's receipts and refusals of our frames (N3, N8).

A counter may have been used twice: a card lost its last writes, or an older copy was put back. Then two presses have
one id, and central has at most one of them. So a receipt or refusal is believed only for the bytes whose digest it
names. An old-style receipt, which names only the counter, is believed only from a central that the directory knows to
be old.

A refused frame can never arrive: its content is stored again under a new counter, and only then is it forgotten.

A central restored from an older copy lacks what it had receipted since. Each run of it is told once which receipts we
hold; frames that it then names as missing are sent again in the same bytes, and RECEIVED is withdrawn meanwhile.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core import delivery, scales
from node.core.effects import ReopenFrames
from node.core.events import StoredFrame
from node.core.incident.lifecycle import happen, incident_id, is_decisive, is_unsaved, keep
from node.core.press import drafts, renewals
from node.core.state import CancelProgress, Incident
from node.core.table import UNSETTLED, Happening, PathPhase
from node.core.turn import Turn
from wire.answers import frame_digest
from wire.directory import Sender
from wire.frames import Alert, Cancel, DigestReceipt, DigestReceipted, Receipt, Receipted, Refusal, Response
from wire.head import Head
from wire.kinds import AlertKind, Capability, Path, RefusalReason
from wire.lateness import LATE_AFTER_S

SPEAKS: Final = tuple(capability.value for capability in Capability)
"""What this node understands, as its health says."""

Word = Receipt | Receipted | DigestReceipt | DigestReceipted | Refusal


def came(turn: Turn, word: Word, path: Path, central: Sender, said_in: Head) -> None:
    """A receipt or refusal, alone in a frame of ``central``'s or from a batch. Idempotent."""
    counter, at_s = word.target.counter, said_in.at_s
    if word.target.node != turn.settings.node or counter > turn.state.last_counter:
        turn.reject("receipt target")
        return
    if isinstance(word, Receipt | Receipted) and central.signs:
        turn.reject("receipt without digest")
        return
    row = turn.state.outbox.rows.get(counter)
    if row is None:
        return
    is_from_before = 0 < at_s < turn.state.central.run_at_s
    if is_from_before and turn.state.central.path is PathPhase.PROVEN:
        # A replay: this run may be on an older copy that lacks the frame. It answers our next try itself.
        turn.reject("receipt of an earlier run")
        return
    if is_from_before or _is_after_now(turn, at_s):
        # This run must hear of it too, as soon as it is heard.
        turn.state.central.listed_to = ""
        turn.state.central.sync_sent_ms = None
    if not isinstance(word, Receipt | Receipted) and not frame_digest(row.signed.data).startswith(word.digest):
        turn.reject("receipt digest")
    elif not isinstance(word, Refusal):
        delivery.receipt(turn, counter, is_late=word.late, path=path)
    elif word.reason is RefusalReason.ID_CONFLICT:
        renewals.renew(turn, row)
    elif isinstance(row.signed.frame, Response):
        drafts.forget_unsaved(turn, counter)
        delivery.give_up(turn, counter)  # It can be reported to nobody, under any counter.


def _is_after_now(turn: Turn, at_s: int) -> bool:
    """Whether the run of central that we know cannot have signed it yet: an earlier or later one did, by another clock.

    Central's clock goes on evenly while it runs.
    """
    central, scale = turn.state.central, scales.present(turn.state)
    if scale is None or scale.boot_id != central.boot_id:
        return False
    return at_s > (scale.offset_ms + turn.now_ms) // 1000 + LATE_AFTER_S


def forgotten(turn: Turn, missing: frozenset[int]) -> None:
    """A restored central lacks these frames of ours, which it had receipted.

    The presser's screen falls back at once; for an earlier, more urgent press when the disk has given it back, as only
    its bytes tell that. The frames are sent again then.
    """
    rows = turn.state.outbox.rows
    lost = tuple(sorted(counter for counter in missing if counter not in rows))
    if lost:
        turn.order(ReopenFrames(lost))
    for key in turn.state.recent:
        incident = turn.state.incidents.get(key)
        if incident is not None and incident.latest in lost:
            # The disk may never give it back.
            _fall_back(turn, incident, incident.latest, incident.latest_kind)


def reopened(turn: Turn, frames: tuple[StoredFrame, ...]) -> None:
    """Their rows have no receipt any more, and await one again."""
    for stored in frames:
        frame = stored.signed.frame
        if frame.counter in turn.state.outbox.rows:
            continue
        incident = _incident_of(turn, frame) if isinstance(frame, Alert | Cancel) else None
        is_awaited = (
            isinstance(frame, Alert) and incident is not None and is_decisive(incident, frame.counter, frame.kind)
        )
        delivery.reopen(turn, stored.signed, stored.stored_ms, is_awaited=is_awaited)
        if incident is None:
            continue
        if isinstance(frame, Alert):
            if is_awaited and incident.received_ms is not None:
                # Central has the last press, but not this more urgent one.
                _fall_back(turn, incident, frame.counter, frame.kind)
            elif incident.phase in UNSETTLED:  # What was said of it is forgotten too: no receipt must show it.
                keep(turn, replace(incident, answer=None, ahead=None))
            _wait_for(turn, incident.key, frame.counter, frame.kind)
        elif incident.cancel is CancelProgress.RECEIVED:
            keep(turn, replace(incident, cancel=CancelProgress.SAVED))


def _fall_back(turn: Turn, incident: Incident, counter: int, kind: AlertKind) -> None:
    """Central lacks this alert, which decides what its presser is told."""
    turn.fact("forgotten", incident_id(turn.state, incident))
    keep(turn, replace(incident, received_ms=None, answer=None, ahead=None, path=None))
    if happen(turn, incident.key, Happening.FORGOTTEN):
        if is_unsaved(turn.state, incident):
            happen(turn, incident.key, Happening.SENT_UNSAVED)
        _wait_for(turn, incident.key, counter, kind)
        delivery.await_again(turn, counter)


def _wait_for(turn: Turn, key: int, counter: int, kind: AlertKind) -> None:
    """The incident waits for this alert's receipt again."""
    incident = turn.state.incidents.get(key)
    if incident is not None and (counter, kind) not in incident.waiting:
        keep(turn, replace(incident, waiting=(*incident.waiting, (counter, kind))))


def _incident_of(turn: Turn, frame: Alert | Cancel) -> Incident | None:
    """By its key or, if the alert that opened it was renewed, by its last press, which has the old key."""
    incident = turn.state.incidents.get(frame.incident)
    if incident is not None:
        return incident
    found = (turn.state.incidents.get(key) for key in turn.state.recent)
    return next((i for i in found if i is not None and i.latest == frame.counter), None)
