"""N12: staff are asked for a weekly test, and their press proves every path there is."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import PathTestDraft, ShowScreen, StoreFrame, TransmitOver
from node.core.events import ClockRead, FrameReceived, LinkDown, OverEnded, OverStarted, Started
from node.core.screens import Dots, Face
from node.core.settings import RadioSettings, RadioTiming
from tests.support.node_world import World, node_world
from wire.frames import PathTest
from wire.ids import NodeId
from wire.kinds import AlertKind, AnswerState, Path

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
LATER_MS = 10**9
LICENSED = RadioSettings(licence="L", timing=RadioTiming(path_test_first_ms=LATER_MS, path_test_ms=LATER_MS))
BOOTS = NodeId(0x11)
NOON_S = 1_795_530_720


def running(radio: RadioSettings | None = None, *, is_attack_silent: bool = False) -> World:
    """A node, up, with central on duty."""
    world = node_world(radio, is_attack_silent=is_attack_silent)
    world.start()
    world.online()
    return world


def idle_for(world: World, wait_ms: int) -> None:
    """Skip a long time in which nothing happens but central's heartbeat."""
    world.now_ms += wait_ms
    world.do(ClockRead(int(world.wall().timestamp()), is_proven=True), world.status())


def faces_of_two_minutes(world: World) -> set[Face]:
    found = set()
    for _ in range(12):
        found.add(world.screen.face)
        world.live(10_000)
    return found


def until_asked(world: World) -> None:
    for _ in range(13):
        if world.screen.face is Face.TEST_DUE:
            return
        world.live(5_000)
    raise AssertionError(world.screen)


def good_test(world: World) -> None:
    world.tap(Button.TEST)
    world.do(world.receipt(world.counter))
    world.live(61_000)


def test_test_is_due_a_week_after_the_last_good_one() -> None:
    world = running()
    good_test(world)
    idle_for(world, WEEK_MS - 3 * 60_000)
    assert {Face.READY} == faces_of_two_minutes(world)

    idle_for(world, 60_000)
    until_asked(world)
    expected = (("TEST DUE",), ("Press Test when quiet", "Last good: 7 days ago"))
    assert expected == (world.screen.headline, world.screen.lines)
    assert world.screen.is_dim
    good_test(world)
    assert {Face.READY} == faces_of_two_minutes(world)


def test_radio_that_fails_its_tests_does_not_keep_staff_from_being_asked() -> None:
    world = running(LICENSED)
    idle_for(world, WEEK_MS)
    failed = replace(world.state.radio.tests, is_failed=True, next_ms=2**40)
    world.state = replace(world.state, radio=replace(world.state.radio, tests=failed))
    world.do(world.status())

    assert {Face.READY, Face.TEST_DUE} == faces_of_two_minutes(world)


def test_duty_is_seen_every_other_minute_while_one_is_due() -> None:
    """N3: who is on duty and that the network is there must not vanish for days."""
    world = running()
    idle_for(world, WEEK_MS)

    assert {Face.READY, Face.TEST_DUE} == faces_of_two_minutes(world)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(9, "Last good: 9 days ago"), (10, "Last good 10 days ago"), (400, "Last good: 400 days")],
)
def test_age_of_the_last_good_one_survives_a_restart(days: int, expected: str) -> None:
    world = running()
    world.do(Started("b", (), (), world.directory(), 0, tested_at_s=NOON_S - days * 86_400))
    world.do(ClockRead(NOON_S, is_proven=True), world.status())
    until_asked(world)

    assert expected == world.screen.lines[1]


@pytest.mark.parametrize(("since_days", "is_asked"), [(6, False), (8, True)])
def test_node_that_never_was_tested_is_asked_a_week_after_it_was_fitted(since_days: int, *, is_asked: bool) -> None:
    """Also one that is switched off every evening."""
    world = running()
    world.do(Started("b", (), (), world.directory(), 0, test_since_at_s=NOON_S - since_days * 86_400))
    world.do(ClockRead(NOON_S, is_proven=True), world.status())
    found = faces_of_two_minutes(world)
    assert is_asked is (Face.TEST_DUE in found)

    if is_asked:
        until_asked(world)
        assert "Last good: not known" == world.screen.lines[1]


def test_node_that_has_just_been_fitted_is_not_asked_for_a_test_at_once() -> None:
    assert {Face.READY} == faces_of_two_minutes(running())


def test_without_a_proven_clock_the_week_runs_from_the_start() -> None:
    world = World()
    world.start(wall=None)
    world.state = replace(world.state, weekly_test=replace(world.state.weekly_test, good_at_s=5))
    world.online()
    world.now_ms += WEEK_MS - 600_000
    world.do(world.status())
    assert {Face.READY} == faces_of_two_minutes(world)

    world.now_ms += 600_000
    world.do(world.status())
    until_asked(world)
    assert "Last good: not known" == world.screen.lines[1]


def test_undelivered_test_is_no_good_one() -> None:
    world = running()
    idle_for(world, WEEK_MS)
    world.do(LinkDown("gone"))
    world.tap(Button.TEST)
    world.after(61_000)
    world.online()
    world.live(1_000)

    assert world.state.weekly_test.good_ms is None


def test_it_is_asked_for_only_on_the_idle_face_of_a_node_that_is_ready() -> None:
    world = running()
    idle_for(world, WEEK_MS)
    until_asked(world)
    world.do(world.alert_from(BOOTS, 5))
    assert Face.NEIGHBOUR is world.screen.face

    world = running()
    idle_for(world, WEEK_MS)
    until_asked(world)
    world.do(LinkDown("gone"))
    assert ("NO LINK",) == world.screen.headline
    world.hold(Button.ATTACK)
    assert ("TRYING",) == world.screen.headline


@pytest.mark.parametrize("is_asked_now", [True, False])
def test_silent_attack_leaves_the_idle_face_as_it_was(*, is_asked_now: bool) -> None:
    """N4: TEST DUE neither goes nor comes with the press, nor at any minute of the quarter of an hour after it."""
    world = running(is_attack_silent=True)
    idle_for(world, WEEK_MS)
    while (world.screen.face is Face.TEST_DUE) is not is_asked_now:
        world.live(5_000)
    before = world.screen
    world.log.clear()
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    assert Dots.RECEIVED is world.screen.dots
    world.live(880_000)

    headlines = {order.screen.headline for order in world.of(ShowScreen, world.log)}
    assert headlines == {before.headline}


# -- what the press proves


def radio_turn(world: World) -> None:
    before = len(world.of(TransmitOver, world.log))
    while len(world.of(TransmitOver, world.log)) == before:
        world.after(100)
    over = world.of(TransmitOver, world.log)[-1].over
    world.do(OverStarted(over))
    world.after(1_400, OverEnded(over, 1_400))


def by_radio(world: World, counter: int) -> None:
    world.do(FrameReceived(world.receipt(counter).data, None, Path.RADIO))


def path_test_of(world: World) -> int:
    (counter,) = [c for c, (signed, _) in world.stored.items() if isinstance(signed.frame, PathTest)]
    return counter


def test_press_proves_both_paths() -> None:
    """N12: the network's receipt first, then the radio's; TEST OK only when both are there."""
    world = running(LICENSED)
    world.tap(Button.TEST)
    world.do(world.receipt(1))
    assert (("RECEIVED",), ("TEST reached central", "Net✓ Radio: testing")) == (
        world.screen.headline,
        world.screen.lines,
    )

    radio_turn(world)
    by_radio(world, path_test_of(world))
    assert (("TEST OK",), ("TEST reached central", "Net✓ Radio✓")) == (world.screen.headline, world.screen.lines)


def test_radio_that_was_quicker_than_the_network_is_proven_all_the_same() -> None:
    world = running(LICENSED)
    world.tap(Button.TEST)
    radio_turn(world)
    by_radio(world, path_test_of(world))
    world.after(500, world.receipt(1))

    assert (("TEST OK",), ("TEST reached central", "Net✓ Radio✓")) == (world.screen.headline, world.screen.lines)


def test_answer_given_automatically_does_not_hide_what_was_proven() -> None:
    """Central answers a test at once and closes it later; nobody is "answering" and nothing comes up again."""
    world = running(LICENSED)
    world.tap(Button.TEST)
    world.do(world.receipt(1), world.ack(1, name="automatic"))
    assert ("TEST reached central", "Net✓ Radio: testing") == world.screen.lines

    world.live(61_000)
    assert Face.READY is world.screen.face
    world.do(world.ack(1, AnswerState.CLOSED, name="automatic"))
    assert Face.READY is world.screen.face


def test_answer_of_a_person_to_a_test_is_told() -> None:
    world = running(LICENSED)
    world.tap(Button.TEST)
    world.do(world.receipt(1), world.ack(1))

    assert (("ANSWERED",), "PCSO J Patel") == (world.screen.headline, world.screen.lines[0])


def test_press_says_when_the_radio_was_not_heard() -> None:
    world = running(LICENSED)
    world.tap(Button.TEST)
    world.do(world.receipt(1))
    radio_turn(world)
    world.after(10_000)

    assert (("RECEIVED",), ("TEST reached central", "Net✓ Radio not heard")) == (
        world.screen.headline,
        world.screen.lines,
    )


def test_press_without_a_network_goes_by_radio_and_says_so() -> None:
    world = running(LICENSED)
    world.do(LinkDown("gone"))
    world.tap(Button.TEST)
    radio_turn(world)
    by_radio(world, 1)

    assert (("RECEIVED",), ("TEST reached central", "By radio, no network")) == (
        world.screen.headline,
        world.screen.lines,
    )
    assert world.state.weekly_test.good_ms == world.now_ms


@pytest.mark.parametrize("radio", [None, RadioSettings()])
def test_press_where_the_radio_may_not_transmit_is_about_the_network_alone(radio: RadioSettings | None) -> None:
    world = running(radio)
    world.tap(Button.TEST)
    world.do(world.receipt(1))

    assert (("TEST OK",), ("TEST reached central", "TEST 14:32:00")) == (world.screen.headline, world.screen.lines)
    assert [] == [o for o in world.of(StoreFrame, world.log) if isinstance(o.content, PathTestDraft)]


@pytest.mark.finding(1)
def test_press_that_somebody_else_put_on_the_air_proves_no_radio_of_ours() -> None:
    """Who plays a listener's test on the air brings it to central, and its receipt comes back by radio."""
    world = running(RadioSettings())
    world.do(LinkDown("gone"))
    world.tap(Button.TEST)
    by_radio(world, 1)

    assert (("RECEIVED",), ("TEST reached central", "TEST 14:32:00")) == (world.screen.headline, world.screen.lines)


def test_test_during_a_silent_attack_keys_no_radio_of_its_own() -> None:
    """N4."""
    world = running(LICENSED, is_attack_silent=True)
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.tap(Button.TEST)

    assert AlertKind.TEST is world.alert_on_disk(2).kind
    assert [] == [o for o in world.of(StoreFrame, world.log) if isinstance(o.content, PathTestDraft)]


def test_noon_is_noon() -> None:
    """The constant above is the bench's clock."""
    assert datetime.fromtimestamp(NOON_S, running().wall().tzinfo) == running().wall()
