"""N13: how a node learns central's time, what it does with it, and what it says of clocks that differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from node.core.controls import Button, Part
from node.core.effects import KeepScales, PublishHealth, PublishSync, StoreFrame
from node.core.events import (
    CentralStatusReceived,
    ClockRead,
    LinkDown,
    LinkUp,
    PartRecovered,
    Started,
    SyncAnswered,
)
from node.core.screens import Emphasis
from tests.support.node_world import World
from wire.ids import FrameId, NodeId
from wire.messages import SyncAnswer

BOOTS = NodeId(0x11)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
pytestmark = pytest.mark.finding(2)


def answer(world: World, ahead_s: float = 0, *, boot: str = "central-1", is_signed: bool = True) -> SyncAnswered:
    """Central's, to the last sync; its clock is ahead by so much."""
    asked = world.of(PublishSync, world.log)[-1].sync
    at = world.wall() + timedelta(seconds=ahead_s)
    said = SyncAnswer(boot_id=boot, counter_floor=0, nonce=asked.nonce, at=at)
    return SyncAnswered(said, is_signed=is_signed)


def wall_s(world: World) -> int:
    return int(world.wall().timestamp())


def pass_by(world: World, wait_ms: int) -> None:
    """As if all that was asked and learnt had been so much earlier."""
    central = world.state.central
    scales = tuple(
        replace(s, learnt_ms=s.learnt_ms - wait_ms, left_ms=None if s.left_ms is None else s.left_ms - wait_ms)
        for s in central.scales
    )
    assert central.sync_sent_ms is not None
    world.state = replace(
        world.state, central=replace(central, scales=scales, sync_sent_ms=central.sync_sent_ms - wait_ms)
    )


def press(world: World) -> StoreFrame:
    return world.of(StoreFrame, world.hold(Button.ATTACK))[0]


def is_live(world: World, *, at_s: int, counter: int = 5) -> bool:
    world.do(world.alert_from(BOOTS, counter, at_s=at_s))
    found = next(n for n in world.state.neighbours if n.incident.counter == counter)
    return not found.is_late


def test_press_bears_centrals_time_and_keeps_our_own_for_the_counters_floor(world: World) -> None:
    world.do(answer(world, 70))
    order = press(world)

    assert (70, 0) == (order.at_s - wall_s(world), order.wall_at_s - wall_s(world))
    assert world.screen.lines[0].startswith("ATTACK 14:32")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda said: replace(said, is_signed=False),
        lambda said: replace(said, answer=replace(said.answer, nonce="")),
        lambda said: replace(said, answer=replace(said.answer, nonce=32 * "a")),
        lambda said: replace(said, answer=replace(said.answer, at=None)),
    ],
)
def test_time_is_learnt_only_from_the_signed_answer_to_our_own_sync(
    world: World, spoil: Callable[[SyncAnswered], SyncAnswered]
) -> None:
    world.do(spoil(answer(world, 70)))

    order = press(world)

    assert wall_s(world) == order.at_s


def test_answer_that_took_over_five_seconds_says_nothing_of_the_time(world: World) -> None:
    world.after(5_001)
    world.do(answer(world, 70))
    assert () == world.state.central.scales

    world.do(LinkDown("cut"), LinkUp())
    world.after(5_000)
    world.do(answer(world, 70))
    assert 1 == len(world.state.central.scales)
    assert 72_500 == world.state.central.scales[0].offset_ms - world.state.clock.offset_ms, "half its way"


def test_status_moves_no_time(world: World) -> None:
    at = world.wall() + timedelta(seconds=70)
    status = world.status().status
    world.do(CentralStatusReceived(type(status)(boot_id="central-1", at=at, expires_at=at), is_signed=True))

    order = press(world)

    assert wall_s(world) == order.at_s


def test_second_answer_of_a_run_moves_the_time_only_if_it_tells_more(world: World) -> None:
    """Each may be wrong by half its way; once an hour the drift counts for more."""
    world.do(answer(world, 70))
    world.do(LinkDown("cut"), LinkUp())
    world.after(3_000)
    done = world.do(answer(world, 71))
    assert [] == world.of(KeepScales, done)

    pass_by(world, HOUR_MS)
    while not world.of(PublishSync, world.live(1_000)):
        pass
    world.do(answer(world, 71))
    (scale,) = world.state.central.scales
    assert world.state.clock.offset_ms is not None
    assert 1_000 == scale.offset_ms - world.state.clock.offset_ms - 70_000 - scale.way_ms // 2


def test_scale_of_an_earlier_run_of_centrals_is_judged_by_for_three_days(world: World) -> None:
    """Central was half an hour behind, was put right and started anew: what was pressed before is on its way still."""
    world.do(answer(world, -1_800))
    world.do(world.status("central-2"))
    world.do(answer(world, 0, boot="central-2"))
    assert 2 == len(world.state.central.scales)
    assert is_live(world, at_s=wall_s(world) - 1_800, counter=5)
    assert is_live(world, at_s=wall_s(world), counter=6)
    assert not is_live(world, at_s=wall_s(world) - 900, counter=7)

    pass_by(world, 3 * DAY_MS - 60_000)
    assert is_live(world, at_s=wall_s(world) - 1_800, counter=8)
    world.live(60_000)
    assert not is_live(world, at_s=wall_s(world) - 1_800, counter=9)


def test_time_of_a_dead_central_holds_through_a_restart_of_the_program(world: World) -> None:
    kept = world.of(KeepScales, world.do(answer(world, 70)))[0].scales
    world.do(LinkDown("cut"))
    world.state = type(world.state)(world.settings)
    world.do(Started("boot-2", (), (), world.directory(), 0, scales=kept))
    world.do(ClockRead(wall_s(world), is_proven=True))

    order = press(world)
    assert 70 == order.at_s - wall_s(world)
    assert is_live(world, at_s=wall_s(world) + 70)


def test_time_on_the_panel_is_our_own_clocks(world: World) -> None:
    """Central is an hour ahead, and so is what its members stamp."""
    world.do(answer(world, 3_600))
    world.do(world.alert_from(BOOTS, 5, at_s=wall_s(world) + 3_600 - 120))

    assert ("LATE Boots, Gallowtr…", "14:30 ▲Seen ►Coming") == world.screen.lines


@pytest.mark.parametrize(
    ("ahead_s", "said"), [(70, "70 s behind"), (-1_800, "30 min ahead of"), (90_000, "25 h behind")]
)
def test_clocks_that_differ_are_a_fault_that_says_what_to_do(world: World, ahead_s: int, said: str) -> None:
    done = world.do(answer(world, ahead_s)) + world.after(1_000)
    faults = world.of(PublishHealth, done)[-1].health.faults
    assert [("clock", f"{said} central's clock: check NTP on both")] == [(f.part, f.detail) for f in faults]
    assert (("READY",), "Clock fault") == (world.screen.headline, world.screen.lines[0])

    done = world.live(60_000)
    assert ("clock",) == tuple(f.part for f in world.of(PublishHealth, done)[-1].health.faults)
    done = world.do(ClockRead(wall_s(world) + ahead_s, is_proven=True)) + world.after(1_000)
    assert () == world.of(PublishHealth, done)[-1].health.faults
    assert ("READY",) == world.screen.headline


@pytest.mark.parametrize("ahead_s", [-5, 5])
def test_clocks_within_five_seconds_are_no_fault(world: World, ahead_s: int) -> None:
    done = world.do(answer(world, ahead_s)) + world.live(11_000)

    assert () == world.of(PublishHealth, done)[-1].health.faults


@pytest.mark.parametrize("ahead_s", [70, -1_800, 7_200])
def test_live_is_live_and_late_is_late_however_wrong_centrals_clock_is(world: World, ahead_s: int) -> None:
    world.do(answer(world, ahead_s))

    assert is_live(world, at_s=wall_s(world) + ahead_s, counter=5)
    assert Emphasis.INVERTED == world.screen.emphasis
    assert not is_live(world, at_s=wall_s(world) + ahead_s - 200, counter=6)


def test_clock_of_ours_that_jumps_makes_nothing_late_and_nothing_live(world: World) -> None:
    world.do(answer(world))
    world.do(ClockRead(wall_s(world) + 1_800, is_proven=True))

    assert is_live(world, at_s=wall_s(world), counter=5)
    assert not is_live(world, at_s=wall_s(world) - 100, counter=6)


def test_frame_of_a_sender_whose_numbers_were_higher_once_is_late_after_years() -> None:
    """The inbox forgot it after two days; the highest number it never forgets."""
    world = World()
    started = Started("boot", (), (), world.directory(), 0)
    world.do(replace(started, highest=(FrameId(BOOTS, 7),)))

    assert not is_live(world, at_s=0, counter=7)
    assert not is_live(world, at_s=wall_s(world), counter=6)
    assert is_live(world, at_s=0, counter=8)


def made_live(world: World) -> None:
    """Central's first answer of this run: the alert of Boots is live."""
    state = world.incident_state(BOOTS, 5, late=False, live_at=world.wall())
    said = answer(world)
    world.do(replace(said, answer=replace(said.answer, incidents=(state,))))


def test_central_makes_live_what_our_own_clock_made_late() -> None:
    """We have just started, our proven clock is half an hour ahead, and central's time is not known yet."""
    world = World()
    world.start(wall=world.wall() + timedelta(minutes=30))
    world.do(LinkUp())
    assert not is_live(world, at_s=wall_s(world))
    made_live(world)

    assert (Emphasis.INVERTED, "15:02 ▲Seen ►Coming") == (world.screen.emphasis, world.screen.lines[1])
    assert world.state.sounding is not None


def test_press_that_central_tells_of_in_a_time_that_we_do_not_know_yet_is_judged_by_its_own(world: World) -> None:
    """Central started again an hour slow, and its answer to us is on its way. The frames never came here."""
    world.do(answer(world))
    now, old, slow = world.wall(), world.wall() - timedelta(minutes=20), timedelta(hours=-1)
    world.do(world.says(BOOTS, 5, opened_at=old + slow, live_at=old + slow, stamped_at=old))
    assert world.screen.lines[1].startswith("LATE")
    world.do(world.says(BOOTS, 6, opened_at=now + slow, live_at=now + slow, stamped_at=now))

    assert Emphasis.INVERTED == world.screen.emphasis
    assert [("00000011-5", True), ("00000011-6", False)] == sorted(
        (neighbour.alert.text, neighbour.is_late) for neighbour in world.state.neighbours
    )


@pytest.mark.parametrize("learnt", ["centrals time", "our own"])
def test_alert_that_came_before_we_knew_the_time_is_live_as_soon_as_we_do(learnt: str) -> None:
    """Our own clock is half an hour ahead, and central does not have the alert yet: radio brought it."""
    world = World()
    world.start(wall=world.wall() + timedelta(minutes=30))
    world.do(LinkUp())
    assert not is_live(world, at_s=wall_s(world))
    world.after(50)
    world.do(answer(world) if learnt == "centrals time" else ClockRead(wall_s(world), is_proven=True))

    assert (Emphasis.INVERTED, 0) == (world.screen.emphasis, world.state.neighbours[0].age_s)
    assert world.state.sounding is not None


def test_alert_that_was_late_when_it_came_stays_late_by_the_time_we_learn(world: World) -> None:
    """Nor does central's word that it waited give way to a time."""
    assert not is_live(world, at_s=wall_s(world) - 100, counter=5)
    assert is_live(world, at_s=wall_s(world), counter=6)
    world.do(world.says(BOOTS, 6, late=True))
    world.do(answer(world))

    assert [True, True] == [neighbour.is_late for neighbour in world.state.neighbours]


def test_central_makes_nothing_live_that_it_had_long_ago(world: World) -> None:
    """It was live when central had it, twenty minutes ago; we had no network."""
    world.do(answer(world))
    assert not is_live(world, at_s=wall_s(world) - 1_200)
    then = world.wall() - timedelta(minutes=20)
    world.do(world.says(BOOTS, 5, late=False, live_at=then), world.says(BOOTS, 5, late=False, revision=2))

    assert world.screen.lines[1].startswith("LATE 14:12")


def test_central_makes_late_what_its_senders_clock_made_live(world: World) -> None:
    world.do(answer(world))
    assert is_live(world, at_s=wall_s(world))
    world.do(world.says(BOOTS, 5, late=True))

    assert (Emphasis.FRAMED, "LATE Boots, Gallowtr…") == (world.screen.emphasis, world.screen.lines[0])


def test_alert_that_central_made_live_before_the_panel_showed_it_is_not_told_as_late() -> None:
    """Central's record of who was warned in time."""
    world = World()
    world.panel_answers = False
    world.start(wall=world.wall() + timedelta(minutes=30))
    world.do(LinkUp())
    assert not is_live(world, at_s=wall_s(world))
    made_live(world)
    world.panel_answers = True
    world.do(PartRecovered(Part.OLED))

    assert ["00000011-5"] == world.shown()
    assert [] == world.facts("late")


def test_exacter_measurement_of_the_present_time_forgets_no_earlier_one() -> None:
    """Alerts that bear an earlier central's time are still on their way."""
    world = World()
    world.start()
    world.do(LinkUp())
    world.do(answer(world, 300, boot="central-0"))
    for way_ms in (2_000, 1_000):
        world.do(LinkUp())
        world.after(way_ms)
        world.do(answer(world, boot="central-1"))

    assert [1_000, 0] == [scale.way_ms for scale in world.state.central.scales]
