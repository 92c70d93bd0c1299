"""The outbox (N3, N8, N13): publishes stored frames again and again until central's receipt.

A frame stays in the outbox until its receipt; a PUBACK only makes room for the next. Sending goes in *rounds*:

- A fresh press goes out at once, before anything older, whatever else is in flight.
- A round sends recent presses first, newest first, then everything else, oldest first, with at most
  :data:`WINDOW` frames unacknowledged by the broker, so that ten thousand stored alerts do not drown it.
- Rounds follow each other after ``resend_first_ms``, doubling to ``resend_max_ms``. A fresh press restarts the
  doubling. A round begins at once when the link comes up, and when central is first heard or has a new boot id.
- While central is not heard, later rounds repeat only the :data:`WINDOW` newest: the broker already has the rest,
  and its queue for a dead central is not ours to fill.

The radio joins in (N8) for alerts, cancels and responses without a receipt after ``receipt_due_ms``: they go to
:mod:`node.core.radio.overs`, while the rounds here continue; those pressed while the network is not trusted
(:mod:`node.core.radio.trust`) at once. A receipt by any path ends both. Without a radio that may transmit, the
presser is told that the alert is not delivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Final

from msgspec.structs import replace

from node.core.effects import ForgetFrame, MarkReceipted, PublishFrame
from node.core.incident.lifecycle import happen, keep, on_air, overdue, receipted
from node.core.ledger import Ledger
from node.core.radio import overs, path_tests, trust
from node.core.radio.path import can_transmit
from node.core.state import CancelProgress, NodeState, Row
from node.core.table import Happening, PathPhase
from node.core.turn import Timer, Turn
from wire.frames import Alert, Cancel, PathTest, Response, SignedFrame
from wire.ids import FrameId
from wire.kinds import Path

WINDOW: Final = 20
_JITTER_PARTS: Final = 8
"""Up to an eighth is added to each wait, so that a town does not resend in step."""


def add(turn: Turn, signed: SignedFrame, pressed_ms: int | None) -> None:
    """A frame of ours is on disk: remember it, await its receipt, send it. ``pressed_ms`` ``None`` = unknown."""
    counter = signed.frame.counter
    outbox = turn.state.outbox
    outbox.rows = outbox.rows.put(counter, Row(signed, pressed_ms))
    if isinstance(signed.frame, Alert) or _is_for_radio(turn.state, signed):
        due_ms = (pressed_ms or 0) + turn.timing.receipt_due_ms
        if due_ms <= turn.now_ms:  # The disk was slow, or refused it for a while: the wait begins now.
            due_ms = turn.now_ms + turn.timing.receipt_due_ms
        outbox.due = tuple(sorted((*outbox.due, (due_ms, counter))))
    _join_radio(turn, signed)
    if turn.state.central.is_linked:
        _publish(turn, counter)
        first_ms = turn.timing.resend_first_ms
        next_ms = min(2 * first_ms, turn.timing.resend_max_ms)
        turn.state.outbox.backoff_ms = next_ms
        turn.state.outbox.round_at_ms = turn.now_ms + _jittered(turn, first_ms)


def restore(turn: Turn, rows: Iterable[tuple[int, Row]], due: Iterable[tuple[int, int]]) -> None:
    """Add the disk's rows to those that this run has stored."""
    outbox = turn.state.outbox
    turn.state.outbox.rows = Ledger((*rows, *outbox.rows.oldest()))
    turn.state.outbox.due = tuple(sorted((*outbox.due, *due)))
    if turn.state.central.is_linked:
        begin(turn)


def begin(turn: Turn) -> None:
    """Central may be back: send everything from now, with the shortest wait after."""
    turn.state.outbox.backoff_ms = turn.timing.resend_first_ms
    _round(turn, is_whole=True)


def link_lost(turn: Turn) -> None:
    """Nothing is in flight any more."""
    turn.state.outbox.in_flight = frozenset()
    turn.state.outbox.cursor = None
    turn.state.outbox.round_at_ms = None


def published(turn: Turn, frame_id: FrameId) -> None:
    """A PUBACK: only the broker has it."""
    outbox = turn.state.outbox
    row = outbox.rows.get(frame_id.counter)
    if frame_id.node != turn.settings.node or row is None:
        return
    if frame_id.counter in outbox.in_flight:
        turn.state.outbox.in_flight = outbox.in_flight - {frame_id.counter}
    if not row.is_published:
        turn.state.outbox.rows = turn.state.outbox.rows.put(frame_id.counter, replace(row, is_published=True))
        frame = row.signed.frame
        if isinstance(frame, Alert):
            turn.fact("published", frame_id)
            incident = turn.state.incidents.get(frame.incident)
            if incident is not None and incident.latest == frame.counter:
                happen(turn, frame.incident, Happening.BROKER_HAS_IT)
    if turn.state.outbox.cursor is not None:
        # The backlog is moving: the next round waits while this one makes progress.
        turn.state.outbox.round_at_ms = turn.now_ms + _jittered(turn, turn.state.outbox.backoff_ms)
        _pump(turn)


def receipt(turn: Turn, counter: int, *, is_late: bool, path: Path) -> None:
    """Central has committed one of our frames: the row is done. Idempotent."""
    row = drop(turn, counter)
    if row is None:
        return
    frame_id = row.signed.frame.id
    turn.order(MarkReceipted(frame_id))
    if path is Path.NETWORK:
        trust.received(turn)
    else:
        path_tests.passed(turn, counter)
    match row.signed.frame:
        case Alert() as alert:
            turn.fact("receipt", frame_id, path=path.value, is_late=str(is_late).lower())
            receipted(turn, alert.incident, counter, is_late=is_late, path=path)
        case Cancel() as cancel:
            cancel_received(turn, cancel.incident)
        case _:
            pass
    if not turn.state.outbox.rows:
        turn.state.outbox.round_at_ms = None
        turn.state.outbox.cursor = None
    _pump(turn)


def reopen(turn: Turn, signed: SignedFrame, pressed_ms: int | None, *, is_awaited: bool) -> None:
    """Central lacks a frame that it had receipted; ``is_awaited``: the presser's screen follows it."""
    counter = signed.frame.counter
    turn.state.outbox.rows = turn.state.outbox.rows.put(counter, Row(signed, pressed_ms))
    if is_awaited:
        await_again(turn, counter)


def await_again(turn: Turn, counter: int) -> None:
    """The presser is told unless this alert's receipt comes in time, counted from now."""
    due = (turn.now_ms + turn.timing.receipt_due_ms, counter)
    turn.state.outbox.due = tuple(sorted((*_due_without(turn, counter), due)))


def _due_without(turn: Turn, counter: int) -> tuple[tuple[int, int], ...]:
    return tuple(due for due in turn.state.outbox.due if due[1] != counter)


def drop(turn: Turn, counter: int) -> Row | None:
    """Stop sending one of our frames, whatever its row on disk says; returns its row, if there was one."""
    outbox = turn.state.outbox
    row = outbox.rows.get(counter)
    if row is None:
        return None
    turn.state.outbox.rows = outbox.rows.drop(counter)
    turn.state.outbox.in_flight = outbox.in_flight - {counter}
    turn.state.outbox.due = _due_without(turn, counter)
    overs.withdraw(turn, counter)
    return row


def give_up(turn: Turn, counter: int) -> None:
    """One of our frames can never arrive, and need not."""
    row = drop(turn, counter)
    if row is not None:
        turn.order(ForgetFrame(row.signed.frame.id))


def cancel_received(turn: Turn, key: int) -> None:
    """Central knows of our cancel."""
    incident = turn.state.incidents.get(key)
    if incident is not None and incident.cancel in (CancelProgress.WANTED, CancelProgress.SAVED):
        keep(turn, replace(incident, cancel=CancelProgress.RECEIVED, changed_ms=turn.now_ms))
        happen(turn, key, Happening.CANCEL_SAVED)  # Not saved here, but central has it.


def timers(state: NodeState) -> Iterator[Timer]:
    """Overdue receipts, and the next round."""
    for due_ms, counter in state.outbox.due:
        yield due_ms, partial(_receipt_overdue, counter=counter)
        if due_ms > state.now_ms:
            break  # The others come later.
    if state.outbox.round_at_ms is not None:
        yield state.outbox.round_at_ms, _next_round


def _receipt_overdue(turn: Turn, counter: int) -> None:
    turn.state.outbox.due = _due_without(turn, counter)
    if counter not in turn.state.outbox.rows:
        overdue(turn, counter)  # Central lacks it again, and the disk has not given it back: nothing carries it.
        return
    trust.doubted(turn)
    if can_transmit(turn.state):
        overs.request(turn, counter)
        on_air(turn, counter)
    else:
        overdue(turn, counter)


def _next_round(turn: Turn) -> None:
    _round(turn, is_whole=turn.state.central.path is PathPhase.PROVEN)


def _is_for_radio(state: NodeState, signed: SignedFrame) -> bool:
    return can_transmit(state) and isinstance(signed.frame, Alert | Cancel | Response)


def _join_radio(turn: Turn, signed: SignedFrame) -> None:
    """Hand to the radio at once what the network is not trusted with, and path tests over the air."""
    state, frame = turn.state, signed.frame
    if isinstance(frame, PathTest):
        if frame.path is Path.RADIO:
            overs.request(turn, frame.counter)
    elif _is_for_radio(state, signed) and not trust.is_trusted(state, turn.now_ms):
        overs.request(turn, frame.counter)
        if not state.central.is_linked:
            on_air(turn, frame.counter)


def _round(turn: Turn, *, is_whole: bool) -> None:
    outbox = turn.state.outbox
    if not outbox.rows:
        turn.state.outbox.round_at_ms = None
        turn.state.outbox.cursor = None
        turn.state.outbox.in_flight = frozenset()
        return
    backoff_ms = outbox.backoff_ms or turn.timing.resend_first_ms
    turn.state.outbox.round_at_ms = turn.now_ms + _jittered(turn, backoff_ms)
    turn.state.outbox.round += 1
    turn.state.outbox.in_flight = frozenset()
    turn.state.outbox.cursor = 0 if is_whole else None
    turn.state.outbox.backoff_ms = min(2 * backoff_ms, turn.timing.resend_max_ms)
    oldest_fresh_ms = turn.now_ms - turn.timing.late_after_ms
    for counter, row in list(islice(turn.state.outbox.rows.newest(), WINDOW)):
        is_fresh = row.pressed_ms is not None and row.pressed_ms >= oldest_fresh_ms
        if is_fresh or not is_whole:
            _publish(turn, counter)
    _pump(turn)


def _pump(turn: Turn) -> None:
    while turn.state.central.is_linked:
        outbox = turn.state.outbox
        if outbox.cursor is None or len(outbox.in_flight) >= WINDOW:
            return
        found = outbox.rows.first_from(outbox.cursor)
        if found is None:
            turn.state.outbox.cursor = None
            return
        counter, row = found
        turn.state.outbox.cursor = counter + 1
        if row.round != outbox.round:
            _publish(turn, counter)


def _publish(turn: Turn, counter: int) -> None:
    outbox = turn.state.outbox
    row = outbox.rows.get(counter)
    if row is None:
        return
    turn.state.outbox.rows = outbox.rows.put(counter, replace(row, round=outbox.round))
    turn.state.outbox.in_flight = outbox.in_flight | {counter}
    frame = row.signed.frame
    schemes = frame.schemes if isinstance(frame, Alert | Cancel | Response) else turn.settings.scheme_numbers
    if not isinstance(frame, PathTest):
        turn.order(PublishFrame(row.signed, schemes))


def _jittered(turn: Turn, wait_ms: int) -> int:
    mixed = (turn.settings.node * 2_654_435_761 + turn.state.outbox.round * 40_503) & 0xFFFF_FFFF
    return wait_ms + wait_ms * (mixed % 1000) // (1000 * _JITTER_PARTS)
