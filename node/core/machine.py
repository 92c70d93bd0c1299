"""The node: ``step(state, event, now_ms) -> (state, effects)``.

:mod:`node.core.table` says which state follows which; this file says which rules see an event, and when:

1. the buttons catch up to ``now_ms`` (an edge shows how long the level before it held), then
2. the event itself, then
3. everything due by ``now_ms``; after the event, so that a receipt in time is never called overdue because the program
   was slow, and finally
4. panel, sounder and LED are brought up to date.

The caller carries out the effects in the order given, feeds their results back as events, and steps with
:class:`~node.core.events.Ticked` when :func:`next_deadline_ms` has come. ``now_ms`` is when the event happened: for
pins, when the edge happened, not when the program got round to it. It must never run backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from msgspec.structs import replace

from node.core import delivery, parts
from node.core.controls import Part
from node.core.effects import Effect, PublishHealth, ShowScreen, Stop
from node.core.events import (
    AirAsked,
    AlertAsked,
    CentralStatusReceived,
    ChannelChanged,
    ClockRead,
    DirectoryReceived,
    Event,
    FramePublished,
    FrameReceived,
    FramesReopened,
    FrameStored,
    GalleryCame,
    IncidentReceived,
    InputRejected,
    KeyProven,
    LinkDown,
    LinkUp,
    ListingRefused,
    MachineRead,
    OverEnded,
    OverFailed,
    OverStarted,
    PanelFaceCame,
    PartFailed,
    PartRecovered,
    PinChanged,
    ScreenShown,
    SessionTaken,
    SettingsChecked,
    SettingsKept,
    SettingsReceived,
    Started,
    StopAsked,
    StoreRefused,
    SyncAnswered,
    Ticked,
)
from node.core.incident import lifecycle, sounder
from node.core.link import asking, boot, configuring, identity, intake, supervision, told
from node.core.neighbours import alerts as neighbours
from node.core.neighbours import inbox
from node.core.panel import faces, gallery_lines, lamp, view
from node.core.press import drafts, persons, presses, visits
from node.core.press.presses import Gesture, Wish
from node.core.radio import answer_queue, channel_access, overs, path_tests, relays
from node.core.settings import Settings
from node.core.state import NodeState, stuck_buttons
from node.core.turn import Timer, Turn
from wire.kinds import AlertKind, MemberResponse

_ALERTS: Final = {Wish.ATTACK: AlertKind.ATTACK, Wish.ASSIST: AlertKind.ASSIST, Wish.TEST: AlertKind.TEST}
_RESPONSES: Final = {Wish.SEEN: MemberResponse.SEEN, Wish.RESPONDING: MemberResponse.RESPONDING}


def initial_state(settings: Settings) -> NodeState:
    """Before :class:`~node.core.events.Started`."""
    return NodeState(settings)


def step(state: NodeState, event: Event, now_ms: int) -> tuple[NodeState, tuple[Effect, ...]]:
    """One event.

    Args:
        state: not changed.
        event: what happened.
        now_ms: monotonic milliseconds at which it happened.

    Returns:
        The next state, and the effects in the order in which to carry them out.
    """
    if state.is_stopping:
        return state, ()  # The last effects are out; the next run sends what is stored.
    turn = Turn(state, max(now_ms, state.now_ms))
    overs.count(turn)
    stuck_before = stuck_buttons(state.buttons)
    _buttons(turn, event, now_ms)
    _HANDLERS[type(event)](turn, event)
    if stuck_buttons(turn.state.buttons) != stuck_before:
        parts.tell_soon(turn)
    _due(turn)
    own = view.settle(turn)
    visits.settle(turn)
    sounder.settle(turn)
    lamp.settle(turn, own)
    gallery_lines.settle(turn)
    screen = faces.compose(turn.state, own, turn.now_ms)
    if screen is not None and screen != turn.state.screen:
        turn.state.screen = screen
        turn.order(ShowScreen(screen))
    return turn.state, tuple(turn.effects())


def next_deadline_ms(state: NodeState) -> int | None:
    """When to step with :class:`~node.core.events.Ticked` if nothing happens first; ``None`` = never."""
    if state.is_stopping:
        return None
    own = view.own_to_show(state, state.now_ms)
    moments = (
        presses.next_moment_ms(state.buttons, state.settings),
        *(moment_ms for moment_ms, _ in timers(state)),
        view.next_moment_ms(state, own),
        faces.next_moment_ms(state, own, state.now_ms),
        state.sounding.until_ms if state.sounding is not None else None,
    )
    return min((moment for moment in moments if moment is not None), default=None)


def _buttons(turn: Turn, event: Event, happened_ms: int) -> None:
    # An edge counts from when it happened, even if time has moved on since: a delayed callback
    # hands over both edges of a tap in one moment, and they would look like a bounce.
    until_ms = happened_ms if isinstance(event, PinChanged) else turn.now_ms
    buttons, gestures = presses.advance(turn.state.buttons, turn.settings, until_ms)
    if isinstance(event, PinChanged):
        if not turn.state.is_started:
            # Nobody was watching yet: a level, not a press.
            event = replace(event, is_initial=True)
        buttons = presses.edge(buttons, turn.settings, event, happened_ms)
    if buttons is not turn.state.buttons:
        turn.state.buttons = buttons
    for gesture in gestures:
        _wish(turn, gesture)


def _wish(turn: Turn, gesture: Gesture) -> None:
    if visits.pressed(turn, gesture.wish):
        return
    match gesture.wish:
        case Wish.ATTACK | Wish.ASSIST | Wish.TEST:
            drafts.press(turn, _ALERTS[gesture.wish], gesture.at_ms)
        case Wish.SEEN | Wish.RESPONDING:
            drafts.respond(turn, _RESPONSES[gesture.wish], gesture.at_ms)
        case Wish.CANCEL:
            drafts.cancel(turn, gesture.at_ms)
        case Wish.ATTACK_TOO_SHORT:
            if not turn.settings.is_attack_silent:
                turn.hint("HOLD", f"Hold {_seconds(turn.timing.hold_ms)} for ATTACK", "Nothing was sent")
        case Wish.CANCEL_TOO_SHORT:
            turn.hint("HOLD", f"Hold {_seconds(turn.timing.hold_ms)} to cancel", "Nothing was sent")


def _seconds(duration_ms: int) -> str:
    return f"{min(duration_ms, 99_900) / 1000:g} s"


def _part_recovered(turn: Turn, event: PartRecovered) -> None:
    parts.recovered(turn, event.part)
    if event.part is Part.STORE:
        turn.state.is_store_refusing = None
    if event.part is Part.OLED:
        turn.state.screen = None  # It no longer shows what we last sent.


def timers(state: NodeState) -> Iterator[Timer]:
    """Everything that time makes due, and when."""
    return chain.from_iterable(listed(state) for listed in (*_TIMERS, overs.timers, *_TIMERS_AFTER_RADIO))


def _hint(state: NodeState) -> Iterator[Timer]:
    if state.hint is not None:
        yield state.hint.until_ms, _drop_hint


_TIMERS: Final = (drafts.timers, delivery.timers, parts.timers, supervision.timers, configuring.timers)
_TIMERS_AFTER_RADIO: Final = (relays.timers, neighbours.timers, told.timers, lifecycle.timers, visits.timers, _hint)


def _due(turn: Turn) -> None:
    if turn.state.is_stopping:
        return
    path_tests.settle(turn)
    _act(turn, _TIMERS)
    overs.settle(turn)
    _act(turn, (overs.timers,))
    overs.go_on(turn)
    _act(turn, _TIMERS_AFTER_RADIO)
    inbox.settle(turn)
    if turn.state.is_started and configuring.settle(turn):
        _stop(turn)


def _act(turn: Turn, rooms: Iterable[Callable[[NodeState], Iterator[Timer]]]) -> None:
    # One timer's action may change the later ones.
    for listed in rooms:
        for moment_ms, act in listed(turn.state):
            if moment_ms <= turn.now_ms:
                act(turn)


def _drop_hint(turn: Turn) -> None:
    turn.state.hint = None


def _stop(turn: Turn) -> None:
    drafts.stopping(turn)  # What was sent but is not on disk would be forgotten with this run.
    turn.state.is_stopping = True
    overs.stop(turn)
    told.keep(turn)
    turn.order(PublishHealth(supervision.health(turn.state, turn.now_ms)))
    turn.order(Stop())


_HANDLERS: Final[dict[type[Event], Callable[[Turn, Any], None]]] = {
    Started: boot.started,
    # Buttons and clock are looked at in any case.
    PinChanged: lambda _turn, _event: None,
    Ticked: lambda _turn, _event: None,
    ClockRead: supervision.clock_read,
    MachineRead: supervision.machine_read,
    FrameStored: drafts.stored,
    StoreRefused: drafts.refused,
    FramesReopened: asking.frames_reopened,
    ListingRefused: lambda turn, _event: asking.listing_refused(turn),
    LinkUp: lambda turn, _event: supervision.link_up(turn),
    LinkDown: supervision.link_down,
    SessionTaken: lambda turn, _event: identity.taken(turn),
    FramePublished: lambda turn, event: delivery.published(turn, event.id),
    FrameReceived: intake.frame_came,
    IncidentReceived: supervision.incident_came,
    CentralStatusReceived: supervision.central_heard,
    SyncAnswered: supervision.sync_answered,
    DirectoryReceived: supervision.directory_came,
    KeyProven: lambda turn, _event: configuring.key_proven(turn),
    SettingsReceived: configuring.came,
    SettingsChecked: configuring.checked,
    SettingsKept: configuring.kept,
    InputRejected: lambda turn, event: turn.reject(event.reason),
    AlertAsked: persons.asked,
    GalleryCame: lambda turn, event: visits.came(turn, is_here=event.is_here),
    PanelFaceCame: visits.face_came,
    ScreenShown: neighbours.shown,
    PartFailed: lambda turn, event: parts.failed(turn, event.part, event.detail),
    PartRecovered: _part_recovered,
    ChannelChanged: lambda turn, event: channel_access.changed(turn, is_busy=event.is_busy),
    OverStarted: overs.started,
    OverEnded: overs.ended,
    OverFailed: overs.failed,
    AirAsked: answer_queue.asked,
    StopAsked: lambda turn, _event: _stop(turn),
}
