"""The gallery: ``step(state, event, now_ms) -> (state, effects)``.

1. the event itself, then
2. what the new moment or the event made due, each rule comparing what is with what should be: the ledger of time first,
   then keys, lines and photographs, staff, views, reports, and the question to the office.

The caller carries out the effects in the order given, feeds their results back as events, and steps with
:class:`~gallery.core.events.Ticked` when :func:`next_deadline_ms` has come. A step that raises leaves no trace.
``now_ms`` counts a suspended machine's sleep too (``CLOCK_BOOTTIME``), and never runs backwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gallery.core import contact, reporting, signing_in, syncing, timekeeping, viewing
from gallery.core.effects import (
    DestroyKeys,
    DestroyPhotographs,
    DestroyStaff,
    Effect,
    KeepGallery,
    KeepLedger,
    KeepReports,
    KeepStaff,
    KeepVerifier,
    StoreViews,
)
from gallery.core.events import (
    BatteryRead,
    CentralTimeTold,
    Event,
    FrameHeard,
    KeysLost,
    OfficeAnswered,
    OfficeFailed,
    PhotographsFailed,
    PhotographsStored,
    PinChosen,
    ReportAlerted,
    ReportAsked,
    ReportsAnswered,
    SecretChecked,
    SessionUsed,
    SignedOut,
    SignInAsked,
    Started,
    Stored,
    StoreRefused,
    Ticked,
    ViewAsked,
)
from gallery.core.state import State
from gallery.core.turn import Turn, without


def step(state: State, event: Event, now_ms: int) -> tuple[State, tuple[Effect, ...]]:
    """One event.

    Args:
        state: not changed. A new ``State()`` before :class:`~gallery.core.events.Started`.
        event: what happened.
        now_ms: monotonic milliseconds at which it happened.

    Returns:
        The next state, and the effects in the order in which to carry them out.
    """
    turn = Turn(state, now_ms)
    if not (state.is_started or isinstance(event, Started)):
        raise ValueError("the first event is Started")
    _HANDLERS[type(event)](turn, event)
    timekeeping.settle(turn)
    syncing.settle(turn)
    signing_in.settle(turn)
    viewing.settle(turn)
    reporting.settle(turn)
    contact.settle(turn)
    return turn.state, tuple(turn.effects)


def next_deadline_ms(state: State) -> int | None:
    """When to step with :class:`~gallery.core.events.Ticked` if nothing happens first; ``None`` = never."""
    rooms = (timekeeping, signing_in, reporting, contact)
    moments = [moment for room in rooms for moment in room.deadlines(state)]
    if state.retry_ms is not None:
        moments.append(state.retry_ms)
    return min((moment for moment in moments if moment > state.now_ms), default=None)


def _started(turn: Turn, event: Started) -> None:
    timekeeping.started(turn, event)
    syncing.started(turn, event)
    signing_in.started(turn, event)
    viewing.started(turn, event)
    reporting.started(turn, event)


def _office_answered(turn: Turn, event: OfficeAnswered) -> None:
    timekeeping.office_answered(turn, event)
    syncing.office_answered(turn, event)
    if event.staff is not None:
        signing_in.told(turn, event.staff)
    reporting.office_answered(turn, event)
    contact.answered(turn, event)


def _stored(turn: Turn, event: Stored) -> None:
    turn.state.retry_ms = None
    _done(turn, event.ticket, is_done=True)


def _store_refused(turn: Turn, event: StoreRefused) -> None:
    turn.refused(event.reason)
    _done(turn, event.ticket, is_done=False)


def _done(turn: Turn, ticket: int, *, is_done: bool) -> None:
    effect = turn.state.waiting[ticket]
    turn.state.waiting = without(turn.state.waiting, ticket)
    match effect:
        case KeepLedger(_, ledger):
            timekeeping.kept(turn, ledger, is_done=is_done)
        case DestroyKeys():
            syncing.keys_destroyed(turn, effect, is_done=is_done)
        case KeepGallery():
            syncing.gallery_kept(turn, effect, is_done=is_done)
        case DestroyPhotographs():
            syncing.photographs_destroyed(turn, effect, is_done=is_done)
        case KeepStaff(_, row):
            signing_in.row_kept(turn, row, is_done=is_done)
        case KeepVerifier(_, row):
            signing_in.verifier_kept(turn, row, is_done=is_done)
        case DestroyStaff(_, person):
            signing_in.destroyed(turn, person, is_done=is_done)
        case StoreViews():
            viewing.stored(turn, is_done=is_done)
        case KeepReports():
            reporting.kept(turn, effect, is_done=is_done)


_HANDLERS: Final[dict[type[Event], Callable[[Turn, Any], None]]] = {
    Started: _started,
    Ticked: lambda _turn, _event: None,
    BatteryRead: timekeeping.battery_read,
    CentralTimeTold: timekeeping.central_told,
    FrameHeard: timekeeping.frame_heard,
    OfficeAnswered: _office_answered,
    ReportsAnswered: reporting.answered,
    OfficeFailed: contact.failed,
    PhotographsStored: syncing.photographs_stored,
    PhotographsFailed: syncing.photographs_failed,
    KeysLost: syncing.keys_lost,
    Stored: _stored,
    StoreRefused: _store_refused,
    SignInAsked: signing_in.asked,
    SecretChecked: signing_in.checked,
    PinChosen: signing_in.pin_chosen,
    SessionUsed: signing_in.used,
    SignedOut: signing_in.signed_out,
    ViewAsked: viewing.asked,
    ReportAsked: reporting.asked,
    ReportAlerted: reporting.alerted,
}
