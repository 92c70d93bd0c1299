"""N11: whether an alert could go by radio is proven by tests that give way to everything else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from node.core.controls import Button, Part
from node.core.effects import PathTestDraft, PublishFrame, PublishHealth, PublishSync, ShowScreen, StoreFrame
from node.core.effects import TransmitOver as Over
from node.core.events import ChannelChanged, FrameReceived, OverEnded, OverStarted, PartFailed, PartRecovered
from node.core.radio.path import RadioPath, radio_path
from node.core.radio.path_tests import FAILED_MS, GIVE_WAY_MS, GIVEN_UP_MS, INCIDENT_QUIET_MS, REPEAT_MS
from node.core.settings import RadioSettings
from tests.support.node_world import World, node_world
from wire.frames import PathTest
from wire.ids import NodeId
from wire.kinds import AlertKind, Path

LICENSED = RadioSettings(licence="OFCOM-1", seed=7)
FIRST_MS, EVERY_MS = LICENSED.timing.path_test_first_ms, LICENSED.timing.path_test_ms
BOOTS = NodeId(0x11)


def running(radio: RadioSettings | None = LICENSED, *, is_attack_silent: bool = False) -> World:
    """A node with a radio, up, with no network."""
    world = node_world(radio, is_attack_silent=is_attack_silent)
    world.start()
    return world


def drafted(world: World) -> list[StoreFrame]:
    return [order for order in world.of(StoreFrame, world.log) if isinstance(order.content, PathTestDraft)]


def until_test(world: World, within_ms: int) -> int:
    """Let time pass until the next one is drafted; its counter."""
    before, end_ms = len(drafted(world)), world.now_ms + within_ms
    while len(drafted(world)) == before:
        assert world.now_ms < end_ms, "no test within that time"
        world.after(min(1_000, end_ms - world.now_ms))
    return world.counter


def on_the_air(world: World) -> None:
    """Let the radio have its turn, and obey it."""
    before = len(world.of(Over, world.log))
    while len(world.of(Over, world.log)) == before:
        world.after(100)
    over = world.of(Over, world.log)[-1].over
    world.do(OverStarted(over))
    world.after(1_400, OverEnded(over, 1_400))


def receipt_by(world: World, path: Path, counter: int) -> None:
    event = world.receipt(counter)
    world.do(FrameReceived(event.data, None, path))


def passes(world: World, within_ms: int) -> None:
    counter = until_test(world, within_ms)
    on_the_air(world)
    receipt_by(world, Path.RADIO, counter)


def loses(world: World, within_ms: int) -> None:
    until_test(world, within_ms)
    on_the_air(world)
    world.after(LICENSED.timing.answer_due_ms + 3_000)


def path(world: World) -> RadioPath:
    return radio_path(world.state, world.now_ms)


def test_first_test_comes_within_the_first_minute_and_is_sent_by_radio_alone() -> None:
    world = running()
    world.online()
    counter = until_test(world, FIRST_MS)
    on_the_air(world)

    assert isinstance(world.stored[counter][0].frame, PathTest)
    assert [(world.stored[counter][0].data,)] == [over.bursts for over in world.of(Over, world.log)]
    assert [] == world.of(PublishFrame, world.log)
    assert RadioPath.UNTESTED is path(world)


def test_receipt_over_the_air_proves_the_path() -> None:
    world = running()
    passes(world, FIRST_MS)

    assert RadioPath.READY is path(world)
    assert [("result", "ok")] == [fact.detail[0] for fact in world.facts("path_test")]
    assert not world.state.outbox.rows


def test_receipt_of_an_alert_over_the_air_proves_nothing() -> None:
    """It may answer what central had by the network."""
    world = running()
    world.tap(Button.ASSIST)
    receipt_by(world, Path.RADIO, 1)

    assert RadioPath.UNTESTED is path(world)


def test_receipt_of_a_test_by_the_network_proves_nothing() -> None:
    """Only half of the way was over the air."""
    world = running()
    counter = until_test(world, FIRST_MS)
    on_the_air(world)
    receipt_by(world, Path.NETWORK, counter)

    assert RadioPath.UNTESTED is path(world)
    assert [] == [fact for fact in world.facts("path_test") if ("result", "ok") in fact.detail]


def test_next_one_comes_in_six_hours_give_or_take_a_quarter() -> None:
    world = running()
    passes(world, FIRST_MS)
    before_ms = world.now_ms
    until_test(world, EVERY_MS + EVERY_MS // 4 + 2_000)

    assert EVERY_MS - EVERY_MS // 4 - 2_000 <= world.now_ms - before_ms


def test_nodes_that_start_at_once_do_not_test_at_once() -> None:
    moments = set()
    for seed in range(20):
        world = running(replace(LICENSED, seed=seed))
        until_test(world, FIRST_MS)
        moments.add(world.now_ms)

    assert len(moments) > 12
    assert max(moments) <= 61_000, "within the first minute"


def test_one_lost_test_is_repeated_before_anything_is_said() -> None:
    world = running()
    passes(world, FIRST_MS)
    loses(world, 2 * EVERY_MS)
    assert RadioPath.READY is path(world), "one may have met somebody's speech"

    passes(world, REPEAT_MS[1] + 2_000)
    assert RadioPath.READY is path(world)
    assert ["ok", "lost", "ok"] == [dict(fact.detail)["result"] for fact in world.facts("path_test")]


def test_two_lost_tests_are_a_path_that_failed_until_one_passes() -> None:
    world = running()
    world.online()
    loses(world, FIRST_MS)
    loses(world, REPEAT_MS[1] + 2_000)
    world.do(world.status())
    assert RadioPath.UNTESTED is path(world)
    assert (("READY",), "Radio test failed") == (world.screen.headline, world.screen.lines[0])

    before_ms = world.now_ms
    passes(world, FAILED_MS + FAILED_MS // 4 + 2_000)
    assert FAILED_MS - FAILED_MS // 4 - 10_000 <= world.now_ms - before_ms
    assert RadioPath.READY is path(world)


def test_test_that_nobody_gives_up_is_given_up_in_the_end() -> None:
    """Whatever becomes of the radio's own account of it, tests go on."""
    world = running()
    counter = until_test(world, FIRST_MS)
    world.state = replace(world.state, radio=replace(world.state.radio, wanted=()))
    world.after(GIVEN_UP_MS + 1_000)

    assert ["lost"] == [dict(fact.detail)["result"] for fact in world.facts("path_test")]
    assert world.state.outbox.rows.get(counter) is None


@pytest.mark.parametrize("radio", [None, RadioSettings(seed=7)])
def test_node_that_may_not_transmit_tests_nothing(radio: RadioSettings | None) -> None:
    """N10: no licence, no over."""
    world = running(radio)
    world.after(2 * EVERY_MS)

    assert [] == drafted(world)


def test_what_passed_before_a_fault_says_nothing_of_what_was_mended() -> None:
    world = running()
    passes(world, FIRST_MS)
    world.do(PartFailed(Part.RADIO, "unplugged"))
    world.after(EVERY_MS * 2)
    assert 1 == len(drafted(world))

    world.do(PartRecovered(Part.RADIO))
    assert RadioPath.UNTESTED is path(world)
    passes(world, FIRST_MS)
    assert RadioPath.READY is path(world)


@pytest.mark.parametrize(
    "in_use",
    [
        lambda world: world.do(ChannelChanged(is_busy=True)),
        lambda world: world.tap(Button.ASSIST),
        lambda world: world.do(world.alert_from(BOOTS, 5)),
    ],
)
def test_test_gives_way_to_whoever_needs_the_channel(in_use: Callable[[World], object]) -> None:
    """N11: load-shed; it comes once they are done."""
    world = running()
    in_use(world)
    world.after(2 * FIRST_MS)
    assert [] == drafted(world)

    world.do(ChannelChanged(is_busy=False))
    if 1 in world.stored:
        receipt_by(world, Path.NETWORK, 1)
    until_test(world, 20 * 60_000 + FIRST_MS)


def test_test_does_not_cut_in_on_somebody_who_has_just_begun() -> None:
    world = running()
    next_ms = world.state.radio.tests.next_ms
    assert next_ms is not None
    world.at(next_ms - 500, ChannelChanged(is_busy=True))
    world.after(1_000, ChannelChanged(is_busy=False))
    assert [] == drafted(world)

    until_test(world, GIVE_WAY_MS[1])


def test_an_incident_of_ours_is_left_in_peace_for_a_quarter_of_an_hour() -> None:
    world = running()
    world.online()
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    pressed_ms = world.now_ms
    while not drafted(world):
        world.live(10_000)

    assert INCIDENT_QUIET_MS <= world.now_ms - pressed_ms <= INCIDENT_QUIET_MS + FIRST_MS + GIVE_WAY_MS[1]


def test_a_response_in_vain_leaves_the_channel_in_peace_for_as_long() -> None:
    """It is sent no more, and the alert that it answered is over; who pressed it may have to press again."""
    world = running()
    world.online()
    world.do(world.alert_from(BOOTS, 5))
    world.live(1_000)
    world.tap(Button.RESPONDING)
    pressed_ms = world.now_ms
    world.do(world.says(BOOTS, 5, "closed"))
    while world.state.radio.wanted or not world.of(Over, world.log):
        on_the_air(world)
        world.after(LICENSED.timing.answer_due_ms + 3_000)
    while not drafted(world):
        world.live(10_000)

    assert INCIDENT_QUIET_MS - 1_000 <= world.now_ms - pressed_ms


def test_silent_attack_is_not_followed_by_a_test_for_as_long_as_it_is_watched() -> None:
    """N4: nothing keys the radio but the attack itself, and a test that met it changes no face."""
    world = running(is_attack_silent=True)
    until_test(world, FIRST_MS)
    world.hold(Button.ATTACK)
    world.log.clear()
    world.after(world.settings.timing.silent_quiet_ms - 60_000)

    assert [] == drafted(world)
    assert {"fault"} == {order.screen.face.value for order in world.of(ShowScreen, world.log)}
    assert not world.state.radio.tests.is_failed


def test_refused_test_is_dropped_and_alarms_nobody_else() -> None:
    """N2: the disk's refusal is told as a fault; the test itself is not tried again and again."""
    world = running()
    world.disk_full = True
    until_test_was_refused(world)
    assert () == world.state.drafts
    assert Part.STORE in world.state.faults

    world.disk_full = False
    until_test(world, FAILED_MS + FAILED_MS // 4 + FIRST_MS)


def until_test_was_refused(world: World) -> None:
    while not drafted(world):
        world.after(1_000)


def test_test_under_way_is_no_alert_that_waits() -> None:
    """N11: neither health nor sync tells central of it, and a restart forgets it."""
    world = running()
    until_test(world, FIRST_MS)
    world.log.clear()
    world.online()
    (sync,) = world.of(PublishSync, world.log)[:1]
    health = world.of(PublishHealth, world.log)[0].health
    assert ((), 0, 0) == (sync.sync.pending, health.outbox_depth, health.oldest_unreceipted_ms)

    world.restart()
    assert not world.state.outbox.rows
    assert (0, world.counter) == (world.state.radio.tests.counter, world.state.last_counter)


def test_health_tells_central_of_the_radio() -> None:
    world = running()
    world.online()
    passes(world, FIRST_MS)
    world.do(world.status())
    world.after(10_000)
    report = world.of(PublishHealth, world.log)[-1].health.radio

    assert report is not None
    assert report.tested_age_ms is not None
    assert ("ready", "OFCOM-1", 1, 1_400) == (report.state, report.licence, report.overs, report.airtime_ms)
    assert 0 < report.tested_age_ms <= 10_000
    assert (0, 0) == (report.blocked_ms, report.busy_percent)


@pytest.mark.parametrize("up_ms", [0, 36_000_000])
def test_health_tells_what_share_of_the_time_since_the_start_others_spoke(up_ms: int) -> None:
    """The program's start: of what was said before it, on a machine that was up, it knows nothing."""
    world = node_world(LICENSED)
    world.now_ms += up_ms
    world.start()
    world.online()
    world.do(ChannelChanged(is_busy=True))
    world.live(45_000)
    world.do(ChannelChanged(is_busy=False))
    world.live(45_000)
    report = world.of(PublishHealth, world.log)[-1].health.radio

    assert report is not None
    assert 45 <= report.busy_percent <= 55


@pytest.mark.parametrize(("radio", "expected"), [(None, None), (RadioSettings(), "listening"), (LICENSED, "untested")])
def test_health_tells_what_radio_there_is(radio: RadioSettings | None, expected: str | None) -> None:
    """N10: central sees who only listens."""
    world = running(radio)
    world.online()
    report = world.of(PublishHealth, world.log)[-1].health.radio
    assert expected == (report.state if report else None)

    if radio is not None:
        world.do(PartFailed(Part.RADIO, "no sound device"))
        world.live(10_000)
        health = world.of(PublishHealth, world.log)[-1].health
        assert health.radio is not None
        assert "fault" == health.radio.state
        assert ("radio", "no sound device") in [(fault.part, fault.detail) for fault in health.faults]


def test_tests_are_quiet_while_neighbours_alert() -> None:
    world = running()
    world.online()
    world.do(world.alert_from(BOOTS, 5, AlertKind.DISORDER))
    world.live(FIRST_MS * 2)

    assert [] == drafted(world)
