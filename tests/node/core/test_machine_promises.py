"""What the machine promises under any sequence of events, with and without a radio."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from node.core.controls import Button, LedPattern, Part, SoundPattern
from node.core.effects import (
    Effect,
    MarkReceipted,
    PlaySound,
    PublishFrame,
    ReportFact,
    SetLed,
    ShowScreen,
    TransmitOver,
)
from node.core.events import (
    AlertAsked,
    ChannelChanged,
    ClockRead,
    Event,
    FrameReceived,
    FrameStored,
    LinkDown,
    LinkUp,
    OverEnded,
    OverFailed,
    OverStarted,
    PartFailed,
    PartRecovered,
)
from node.core.incident.hush import is_hushed
from node.core.link.configuring import may_restart
from node.core.machine import next_deadline_ms
from node.core.radio.path import RadioPath, radio_path
from node.core.screens import HEADLINE_CHARS_MAX, HEADLINE_SMALL_CHARS_MAX, HEADLINE_WORD_CHARS_MAX, LINE_CHARS_MAX
from node.core.settings import RadioSettings, RadioTiming
from node.core.state import NodeState
from node.core.table import UNSETTLED, Phase
from tests.support.members import HART
from tests.support.node_world import World
from wire.frames import Alert, PathTest, decode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, Path
from wire.messages import SyncAnswer

OURS, BOOTS, CAFE = NodeId(0x10), NodeId(0x11), NodeId(0x12)
_PRESS = st.sampled_from(
    [
        ("press", Button.ATTACK, 1_200),
        ("press", Button.ASSIST, 60),
        ("press", Button.CANCEL, 1_200),
        ("press", Button.SEEN, 60),
        ("press", Button.RESPONDING, 60),
        ("press", Button.TEST, 60),
        ("press", Button.ATTACK, 400),
        ("press", Button.ASSIST, 5),
    ]
)
_WAIT = st.tuples(st.just("wait"), st.sampled_from([0, 10, 500, 2_100, 11_000, 70_000]))
_PLAIN = (
    ["up", "down", "status", "status", "full", "full, numbered", "mended", "restart", "oled", "sync"],
    ["new central", "clock back", "clock on", "oled back", "sync, newer central"],
)
_SIMPLE = st.sampled_from([(word,) for words in _PLAIN for word in words])
_OWN = st.tuples(
    st.sampled_from(["puback", "receipt", "receipt", "ack", "close", "undo", "state", "member"]),
    st.sampled_from([0, 0, 0, 1, 2, 5]),
)
_OTHER = st.tuples(
    st.sampled_from(["alert", "cancel other", "close other"]), st.sampled_from([BOOTS, CAFE]), st.integers(1, 4)
)
_REPORT = st.tuples(
    st.just("report"), st.sampled_from([AlertKind.BREACH, AlertKind.SIGHTING]), st.integers(1, 2), st.integers(1, 3)
)
_BEGUN = [("up",), ("status",), ("press", Button.ATTACK, 1_200)]
_AIR = st.tuples(
    st.just("air"),
    st.sampled_from(["busy", "clear", "key", "unkey", "fail", "broken", "mended", "receipt", "receipt"]),
)
_ACTS = (_PRESS, _PRESS, _REPORT, _WAIT, _SIMPLE, _OWN, _OWN, _OWN, _OTHER)
STEPS, STEPS_ON_AIR = (
    st.builds(
        lambda begun, steps: [*begun, *steps],
        st.sampled_from([_BEGUN, _BEGUN, []]),
        st.lists(st.one_of(*acts), min_size=8, max_size=40),
    )
    for acts in (_ACTS, (*_ACTS, _AIR, _AIR, _AIR, _AIR))
)
_TIMES = RadioTiming(path_test_first_ms=400, path_test_ms=8_000)
RADIOS = st.sampled_from([RadioSettings("L-1", timing=_TIMES), RadioSettings("L-1"), RadioSettings(timing=_TIMES)])


pytestmark = pytest.mark.one_python
MORE = settings(max_examples=3 * settings().max_examples)
"""Long stories: it takes more of them to come by everything."""


class Watch:
    """What must hold after every step, whatever came before it."""

    def __init__(self) -> None:
        self.published: dict[int, bytes] = {}
        self.drafts: dict[int, int] = {}
        self.shown: list[FrameId] = []
        self.led = LedPattern.OFF

    def __call__(self, world: World, event: Event, effects: tuple[Effect, ...]) -> None:
        state: NodeState = world.state
        self.frames(world, state, event, effects)
        self.screens(world, state, effects)
        self.silence(state, effects)
        self.air(world, state, effects)
        for order in effects:
            if isinstance(order, ReportFact) and order.fact == "shown":
                assert order.alert not in self.shown, "shown twice"
                assert order.alert is not None
                self.shown.append(order.alert)
            if isinstance(order, MarkReceipted):
                # Its receipt came while the disk still refused it.
                is_saved_at_last = (
                    isinstance(event, FrameStored) and event.signed.frame.counter in world.known_to_central
                )
                assert isinstance(event, FrameReceived) or is_saved_at_last, "only a receipt ends the sending"
        due_ms = next_deadline_ms(state)
        assert due_ms is None or due_ms >= 0
        assert len(state.recent) <= 8
        assert len(state.neighbours) <= 64

    def frames(self, world: World, state: NodeState, event: Event, effects: Iterable[Effect]) -> None:
        stored_now = {event.signed.frame.counter} if isinstance(event, FrameStored) else set()
        numbered = world.numbered
        for order in effects:
            if isinstance(order, PublishFrame):
                counter = order.signed.frame.counter
                assert counter in numbered or counter in stored_now, "N2: published before it had its number"
                assert not isinstance(order.signed.frame, PathTest), "N11: published a test of the air"
                assert self.published.setdefault(counter, order.signed.data) == order.signed.data, "other bytes"
                assert counter not in world.receipted, "sent although central has it"
        receipted_now = {order.id.counter for order in effects if isinstance(order, MarkReceipted)}
        tests = {c for c, signed in numbered.items() if isinstance(signed.frame, PathTest)}
        held = set(numbered) - world.receipted - receipted_now - tests
        kept = {counter for counter, _ in state.outbox.rows.oldest()} - tests
        if state.is_started:
            assert kept <= held | stored_now
            coming = {e.signed.frame.counter for e in world.pending if e.signed is not None}
            assert held - stored_now <= kept | stored_now | coming, "N2: lost"
            if may_restart(state):
                assert not held - stored_now - coming, "F4: a restart would hold up an alert"
        assert {c for _, c in state.outbox.due} <= kept
        assert state.outbox.in_flight - tests <= kept
        assert len(state.outbox.in_flight) <= 40

    def screens(self, world: World, state: NodeState, effects: Iterable[Effect]) -> None:
        for order in effects:
            if not isinstance(order, ShowScreen):
                continue
            screen = order.screen
            limit = HEADLINE_CHARS_MAX if len(screen.headline) == 1 else HEADLINE_WORD_CHARS_MAX
            if len(screen.headline) > 1 and screen.lines[0]:
                limit = HEADLINE_SMALL_CHARS_MAX
            assert all(len(word) <= limit for word in screen.headline)
            assert all(len(line) <= LINE_CHARS_MAX for line in screen.lines)
            if screen.face in ("sending", "stored") and screen.headline != ("PRESSED",):
                counter = FrameId.parse(screen.concerns).counter
                assert counter in world.stored, "N3: said as saved before it was"
                shown = state.incidents.get(world.alert_on_disk(counter).incident)
                assert shown is not None
                assert shown.waiting
            if "Sending it anyway" in screen.lines:
                assert FrameId.parse(screen.concerns).counter in world.unsaved, "N3: said as sent and was not"
            if screen.face == "received":
                counter = FrameId.parse(screen.concerns).counter
                assert counter in world.known_to_central, "N3: said as received and was not"
            if screen.face in ("answered", "on-the-way"):
                frame = world.numbered[FrameId.parse(screen.concerns).counter].frame
                assert isinstance(frame, Alert)
                assert frame.incident in world.answered, "N3: said as answered and was not"
        if state.screen is not None and state.screen.face == "ready" and not is_hushed(state, state.now_ms):
            told = [i for _, i in state.incidents.oldest() if i.key in state.recent and not i.is_silent]
            assert not [i for i in told if i.phase in UNSETTLED and i.phase is not Phase.DRAFTED], "N3: hidden"

    def air(self, world: World, state: NodeState, effects: Iterable[Effect]) -> None:
        for order in effects:
            if isinstance(order, TransmitOver):
                radio = state.settings.radio
                assert radio is not None
                assert radio.licence, "N10: no licence, no over"
                assert not [b for b in order.bursts if decode(b).frame.counter in world.receipted], "over after receipt"
            if isinstance(order, ShowScreen) and "Alerts go by radio" in order.screen.lines:
                assert RadioPath.READY is radio_path(state, state.now_ms), "N3: a promise on no proof"

    def silence(self, state: NodeState, effects: Iterable[Effect]) -> None:
        open_silent = [i for _, i in state.incidents.oldest() if i.is_silent and i.phase is not Phase.CLOSED]
        if not open_silent or any(i.pressed_ms is None for i in open_silent):
            return
        newest = max(open_silent, key=lambda i: i.pressed_ms or 0)
        if newest.key in state.recent and state.now_ms - (newest.pressed_ms or 0) < 900_000:
            loud = [o for o in effects if isinstance(o, PlaySound) and o.pattern is not SoundPattern.OFF]
            assert not loud, "N4: heard"
            leds = [o.pattern for o in effects if isinstance(o, SetLed)]
            assert set(leds) <= {LedPattern.READY, LedPattern.FAULT}, "N4: seen"
            concerned = {f"{OURS:08x}-{counter}" for counter in (newest.key, newest.latest)}
            told = {order.screen.concerns for order in effects if isinstance(order, ShowScreen)}
            assert not told & concerned, "N4: told"


def play(world: World, steps: list[tuple[Any, ...]]) -> None:
    """Act the steps out; central here only says what it could say."""
    world.start()

    def disk(*, is_full: bool, is_numbered: bool = False) -> None:
        world.disk_full, world.is_numbered_unsaved = is_full, is_numbered

    def panel(event: PartFailed | PartRecovered, *, answers: bool) -> None:
        world.panel_answers = answers
        world.do(event)

    simple: dict[str, Callable[..., object]] = {
        "up": lambda: world.do(LinkUp()),
        "down": lambda: world.do(LinkDown("gone")),
        "status": lambda: world.do(world.status()),
        "new central": lambda: world.do(world.status(f"central-{len(world.log)}")),
        "full": lambda: disk(is_full=True),
        "full, numbered": lambda: disk(is_full=True, is_numbered=True),
        "mended": lambda: disk(is_full=False, is_numbered=world.is_numbered_unsaved),
        "restart": lambda: world.restart(f"boot-{len(world.log)}", wall=world.wall()),
        "clock back": lambda: world.do(ClockRead(1, is_proven=True)),
        "clock on": lambda: world.do(ClockRead(2**33, is_proven=True)),
        "oled": lambda: panel(PartFailed(Part.OLED, "gone"), answers=False),
        "oled back": lambda: panel(PartRecovered(Part.OLED), answers=True),
        "sync": lambda: world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=world.counter))),
        "sync, newer central": lambda: world.do(
            world.answers(SyncAnswer(boot_id="central-1", counter_floor=world.counter, speaks=("person",)))
        ),
        "report": lambda kind, person, n: world.do(AlertAsked(f"{n:032x}", kind, HART, person)),
        "press": world.tap,
        "wait": world.after,
        "alert": lambda node, n: world.do(world.alert_from(node, n, AlertKind.ASSIST if n > 2 else AlertKind.ATTACK)),
        "cancel other": lambda node, n: world.do(world.cancel_from(node, n + 10, n)),
        "close other": lambda node, n: world.do(world.says(node, n, "closed", revision=9)),
        "air": lambda what: air(world, what),
    }
    for action, *args in steps:
        if action in simple:
            simple[action](*args)
        else:
            own(world, action, *args)


def air(world: World, what: str) -> None:
    """What a radio, and whoever else is on the channel, can do now."""
    over = world.state.radio.over
    if what == "receipt":
        last = max(world.numbered, default=None)
        if last is not None:
            world.known_to_central.add(last)
            world.do(replace(world.receipt(last), path=Path.RADIO))
    elif what in ("key", "unkey", "fail"):
        number = over.number if over is not None else 99
        events: dict[str, Event] = {
            "key": OverStarted(number),
            "unkey": OverEnded(number, 2_000),
            "fail": OverFailed(number, "x"),
        }
        world.do(events[what])
    else:
        others: dict[str, Event] = {
            "busy": ChannelChanged(is_busy=True),
            "clear": ChannelChanged(is_busy=False),
            "broken": PartFailed(Part.RADIO, "x"),
            "mended": PartRecovered(Part.RADIO),
        }
        world.do(others[what])


def own(world: World, action: str, back: int) -> None:
    """What others can say of a frame of ours, the newest or a few before it."""
    counter = max(world.numbered, default=0) - back
    if counter not in world.numbered:
        return
    frame = world.numbered[counter].frame
    if action == "puback":
        world.do(world.puback(counter))
        return
    world.known_to_central.add(counter)
    if action == "receipt":
        world.do(world.receipt(counter))
    elif isinstance(frame, Alert):
        # Central can speak of the incident only once it has the alert that opened it.
        world.known_to_central |= {c for c in world.numbered if c == frame.incident}
        said = {"ack": AnswerState.ANSWERED, "close": AnswerState.CLOSED, "undo": AnswerState.UNANSWERED}
        if action in said:
            if action == "ack":
                world.answered.add(frame.incident)
            world.do(world.ack(frame.incident, said[action]))
        elif action == "state":
            world.answered.add(frame.incident)
            world.do(world.says(OURS, frame.incident, "answered", kind=frame.kind.slug, answer=world.answer()))
        else:
            world.do(world.response_from(BOOTS, 50 + counter, frame.incident))


@MORE
@given(STEPS, st.booleans())
def test_promises_hold_under_any_sequence(steps: list[tuple[Any, ...]], is_silent: bool) -> None:  # noqa: FBT001
    """N2, N3, N4, N5 after every step."""
    world = World(replace(World().settings, is_attack_silent=is_silent))
    world.checks.append(Watch())
    play(world, steps)


@MORE
@given(STEPS_ON_AIR, RADIOS, st.booleans())
def test_promises_hold_with_a_radio(
    steps: list[tuple[Any, ...]],
    radio: RadioSettings,
    is_silent: bool,  # noqa: FBT001
) -> None:
    """N3, N4, N8, N10, N11 after every step, whatever the radio and the channel do."""
    world = World(replace(World().settings, is_attack_silent=is_silent, radio=radio))
    world.checks.append(Watch())
    play(world, steps)


@MORE
@given(STEPS)
def test_everything_stored_is_delivered_once_the_world_is_well(steps: list[tuple[Any, ...]]) -> None:
    """N2, N13: whatever happened before, a link, a disk and a central are enough."""
    world = World()
    play(world, steps)
    world.disk_full = False
    world.do(LinkDown("gone"), LinkUp(), world.status("central-last"))
    world.live(130_000)
    sent = {signed.frame.counter for signed in world.published()}
    assert set(world.stored) - world.receipted <= sent

    world.do(*(world.receipt(counter) for counter in world.stored))
    assert 0 == len(world.state.outbox.rows)
    assert () == world.state.drafts
    assert set(world.stored) == world.receipted


# -- the maps underneath
