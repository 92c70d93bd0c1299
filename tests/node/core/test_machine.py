"""The machine as a whole: total, pure, bounded, and true to its promises under any sequence of events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest
from msgspec.structs import fields

from node.core.controls import Button, Part
from node.core.events import (
    AirAsked,
    AlertAsked,
    ChannelChanged,
    ClockRead,
    DirectoryReceived,
    Event,
    FramePublished,
    FrameReceived,
    FramesReopened,
    FrameStored,
    GalleryCame,
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
    StoredFrame,
    StoreRefused,
    Ticked,
)
from node.core.incident import lifecycle
from node.core.machine import _HANDLERS, initial_state, next_deadline_ms, step
from node.core.state import NodeState
from node.core.table import Phase
from node.core.trial import Kept
from node.core.turn import Turn
from tests.support.node_world import World
from wire.frames import Alert
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, MemberResponse, Path
from wire.messages import MachineReport, SyncAnswer
from wire.node_settings import SignedSettings
from wire.topics import FrameTopic

OURS, BOOTS, CAFE = NodeId(0x10), NodeId(0x11), NodeId(0x12)


def in_phase(world: World, phase: Phase) -> None:
    """Bring a press to this phase, by what would."""
    world.disk_hangs = phase is Phase.DRAFTED
    world.disk_full = phase in (Phase.REFUSED, Phase.UNSAVED)
    world.is_numbered_unsaved = phase is Phase.UNSAVED
    world.hold(Button.ATTACK)
    world.disk_hangs = world.disk_full = False
    by: dict[Phase, list[Event]] = {
        Phase.PUBLISHED: [world.puback(1)],
        Phase.RECEIVED: [world.receipt(1)],
        Phase.ANSWERED: [world.receipt(1), world.ack(1)],
        Phase.ON_THE_WAY: [world.receipt(1), world.ack(1, AnswerState.ON_THE_WAY)],
        Phase.CLOSED: [world.receipt(1), world.ack(1, AnswerState.CLOSED)],
    }
    world.do(*by.get(phase, []))
    if phase is Phase.ON_AIR:
        turn = Turn(world.state, world.now_ms)
        lifecycle.on_air(turn, 1)
        world.state = turn.state
    if phase is Phase.UNDELIVERED:
        world.live(3_000)
    if phase is Phase.CANCELLED:
        world.hold(Button.CANCEL)
    (incident,) = [row for _, row in world.state.incidents.oldest()]
    assert phase is incident.phase


def every_event(world: World) -> list[Event]:
    """At least one of each kind, and of those that mean different things more."""
    frame = world.signed(Alert(OURS, 900, 0, AlertKind.ASSIST, 900, (1,)))
    return [
        Started("boot-x", (), (), world.directory(), 0),
        ClockRead(0, is_proven=True),
        ClockRead(2**40, is_proven=False, utc_offset_s=-(2**40)),
        MachineRead(MachineReport(free_bytes=0, clock="ntp"), datetime(2027, 1, 1, tzinfo=UTC)),
        Ticked(),
        *(PinChanged(button, is_down) for button in Button for is_down in (True, False)),
        PinChanged(Button.ATTACK, is_down=True, is_initial=True),
        FrameStored(1, world.signed(Alert(OURS, 1, 0, AlertKind.ATTACK, 1, (1,)))),
        FrameStored(777, frame),
        StoreRefused(1, "full"),
        StoreRefused(1, "full", world.signed(Alert(OURS, 1, 0, AlertKind.ATTACK, 1, (1,)))),
        StoreRefused(None, "full"),
        FramesReopened(
            (StoredFrame(world.signed(Alert(OURS, 1, 0, AlertKind.ATTACK, 1, (1,))), None, is_receipted=False),)
        ),
        ListingRefused(),
        GalleryCame(is_here=True),
        PanelFaceCame(1, ("LOCKED",), ("", "")),
        PanelFaceCame(1, pixels=b"\0"),
        PanelFaceCame(1, is_over=True),
        GalleryCame(is_here=False),
        LinkUp(),
        LinkDown("gone"),
        SessionTaken(),
        LinkDown("refused", is_permanent=True),
        FramePublished(FrameId(OURS, 1)),
        FramePublished(FrameId(BOOTS, 1)),
        FrameReceived(b"", None, Path.RADIO),
        FrameReceived(b"\xff" * 96, FrameTopic("hart", BOOTS), Path.NETWORK),
        world.receipt(1),
        *(world.ack(1, state) for state in AnswerState),
        world.alert_from(BOOTS, 5),
        world.cancel_from(BOOTS, 6, 5),
        *(world.response_from(BOOTS, 7 + r, 1, r) for r in MemberResponse),
        *(
            world.says(node, 1, state, revision=3, answer=world.answer())
            for node in (OURS, BOOTS)
            for state in ("unanswered", "answered", "on-the-way", "closed")
        ),
        world.status("central-9", on_duty=()),
        world.answers(SyncAnswer(boot_id="central-9", counter_floor=5)),
        DirectoryReceived(world.directory(9), b"nine"),
        KeyProven(),
        SettingsReceived(SignedSettings(world.settings.node, 9, b"nine", None, "")),
        SettingsChecked(9, ""),
        SettingsKept(Kept(newest=9), is_kept=True),
        InputRejected("topic"),
        AlertAsked("5" * 32, AlertKind.BREACH, 1, 42),
        AlertAsked("6" * 32, AlertKind.SIGHTING, 9, 42),
        *(ChannelChanged(is_busy) for is_busy in (True, False)),
        OverStarted(1),
        OverEnded(1, 2_000),
        OverFailed(1, "no sound"),
        AirAsked(b""),
        AirAsked(world.receipt(1).data),
        ScreenShown("00000010-1", "sending"),
        *(PartFailed(part, "x") for part in Part),
        *(PartRecovered(part) for part in Part),
        StopAsked(),
    ]


def test_list_of_every_event_is_complete(world: World) -> None:
    assert set(get_args(Event)) == {type(event) for event in every_event(world)}


@pytest.mark.parametrize("phase", list(Phase))
def test_every_event_is_taken_in_every_phase(phase: Phase) -> None:
    """No event raises, loses the press, or touches the state it was given; and what it leads to can tick."""
    world = World()
    world.start()
    world.online()
    in_phase(world, phase)
    before = world.state
    snapshot = frozen(before)
    for event in every_event(world):
        state, effects = step(before, event, world.now_ms + 1)
        assert snapshot == frozen(before), type(event).__name__
        assert isinstance(effects, tuple)
        for _ in range(3):
            due_ms = next_deadline_ms(state)
            if due_ms is None:
                break
            state, _ = step(state, Ticked(), due_ms)
            following_ms = next_deadline_ms(state)
            assert following_ms is None or following_ms > due_ms, (type(event).__name__, "wakes for nothing")


@pytest.mark.parametrize("phase", [None, *Phase])
def test_event_before_the_start_or_twice_is_harmless(phase: Phase | None) -> None:
    world = World()
    if phase is not None:
        world.start()
        world.online()
        in_phase(world, phase)
    state = world.state if phase is not None else initial_state(world.settings)
    for event in every_event(world)[:-1]:
        state, _ = step(state, event, world.now_ms)
        state, _ = step(state, event, world.now_ms)


def frozen(state: NodeState) -> tuple[object, ...]:
    """The state's parts, as they were: mappings by content, the rest by identity, for all of it is frozen."""
    return tuple(
        tuple(value.items()) if field.name in ("buttons", "faults", "rejected") else id(value)
        for field in fields(state)
        for value in (getattr(state, field.name),)
    )


def test_step_is_a_function(world: World) -> None:
    """The same state, event and moment give the same result; nothing is drawn from elsewhere."""
    for event in every_event(world):
        first, second = step(world.state, event, 5_000), step(world.state, event, 5_000)
        assert first == second


# -- random towns of one


def test_every_event_has_its_handler() -> None:
    assert set(get_args(Event)) == set(_HANDLERS)
