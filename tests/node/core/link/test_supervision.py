"""N11, N13, F5: link, central, clock, directory, parts, health; and that an idle node sleeps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from node.core.controls import Button, LedPattern, Part
from node.core.effects import (
    COUNTER_FLOOR_MAX,
    Effect,
    KeepDirectory,
    PublishHealth,
    PublishSync,
    RaiseCounterFloor,
    RetryPart,
    SetLed,
    ShowScreen,
    Stop,
    StoreFrame,
)
from node.core.events import (
    ClockRead,
    DirectoryReceived,
    InputRejected,
    LinkDown,
    LinkUp,
    PartFailed,
    PartRecovered,
    PinChanged,
    StopAsked,
    Ticked,
)
from node.core.machine import next_deadline_ms, step
from tests.support.node_world import World
from wire.ids import NodeId
from wire.messages import Health, SyncAnswer, decode_message, encode_message

OURS, BOOTS = NodeId(0x10), NodeId(0x11)


def healths(world: World, effects: Iterable[Effect]) -> list[Health]:
    return [order.health for order in world.of(PublishHealth, effects)]


# -- the path


def test_who_was_on_duty_before_an_outage_is_not_told_after_it(world: World) -> None:
    """C2: central's answer to a sync says nothing of duty; its next status does, within seconds."""
    world.do(LinkDown("cable out"))
    world.after(world.settings.timing.central_lost_ms, LinkUp())
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=0)))
    assert "On duty: not known" == world.screen.lines[1]

    world.do(world.status(on_duty=("pcso",)))
    assert "On duty: PCSO" == world.screen.lines[1]


def test_starting_says_so_until_central_is_heard() -> None:
    world = World()
    world.start()
    assert (("STARTING",), ("Watchlink 1.4", "Looking for central")) == (world.screen.headline, world.screen.lines)

    world.do(LinkUp())
    assert ("STARTING",) == world.screen.headline, "a socket is not a path"
    world.do(world.status())
    assert (("READY",), ("14:32  Net✓", "On duty: CCTV PCSO")) == (world.screen.headline, world.screen.lines)
    assert world.screen.is_dim


def test_no_link_is_said_after_ten_seconds_and_promises_nothing(offline: World) -> None:
    offline.after(10_000)

    expected = (("NO LINK",), ("Alerts are saved here", "Use radio or call 999"))
    assert expected == (offline.screen.headline, offline.screen.lines)
    assert LedPattern.FAULT == offline.state.led


def test_central_that_falls_silent_is_no_link_whatever_the_socket_says(world: World) -> None:
    world.after(29_999)
    assert "ready" == world.face
    world.after(1)
    assert ("NO LINK",) == world.screen.headline

    world.do(world.status())
    assert "ready" == world.face


def test_link_down_is_no_link_at_once_and_link_up_alone_does_not_end_it(world: World) -> None:
    world.do(LinkDown("connection reset"))
    assert ("NO LINK",) == world.screen.headline
    world.do(LinkUp())
    assert ("NO LINK",) == world.screen.headline
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=0)))
    assert "ready" == world.face, "its answer to our own question proves the path"


def test_refused_certificate_says_whom_to_tell(offline: World) -> None:
    offline.do(LinkDown("certificate revoked", is_permanent=True))

    assert ("Tell co-ordinator", "Use radio or call 999") == offline.screen.lines


def test_status_that_a_broker_kept_proves_nothing(world: World) -> None:
    old = world.status()
    world.do(LinkDown("gone"))
    world.after(120_000, LinkUp(), old)

    assert ("NO LINK",) == world.screen.headline
    assert {"expired": 1} == dict(world.state.rejected)


def test_status_while_disconnected_does_not_prove_the_path(world: World) -> None:
    world.do(LinkDown("gone"), world.status())

    assert ("NO LINK",) == world.screen.headline


def test_sync_is_asked_at_each_connect_and_each_new_run_of_central() -> None:
    world = World()
    world.start()
    assert 1 == len(world.of(PublishSync, world.do(LinkUp())))
    assert 0 == len(world.of(PublishSync, world.do(world.answers(SyncAnswer(boot_id="c1", counter_floor=0)))))
    assert 0 == len(world.of(PublishSync, world.do(world.status("c1"), world.status("c1"))))
    assert 1 == len(world.of(PublishSync, world.do(world.status("c2"))))


def test_counter_floor_is_raised_before_the_next_press_is_stored(world: World) -> None:
    """A restored card: a counter is never used twice."""
    done = world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=500)))
    assert [RaiseCounterFloor(500)] == world.of(RaiseCounterFloor, done)
    assert [] == world.of(
        RaiseCounterFloor, world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=500)))
    )

    world.tap(Button.ASSIST)
    assert [501] == [signed.frame.counter for signed in world.published()]


def test_counter_floor_that_cannot_be_true_is_counted_and_says_nothing_of_the_disk(world: World) -> None:
    """A card without memory may be far behind, so only what would use the counters up is refused."""
    done = world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=COUNTER_FLOOR_MAX + 1)))
    assert [] == world.of(RaiseCounterFloor, done)
    assert {"counter floor": 1} == dict(world.state.rejected)

    done = world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=COUNTER_FLOOR_MAX)))
    assert [RaiseCounterFloor(COUNTER_FLOOR_MAX)] == world.of(RaiseCounterFloor, done)


def test_counter_floor_below_ours_changes_nothing(world: World) -> None:
    world.tap(Button.ASSIST)

    assert [] == world.of(RaiseCounterFloor, world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=1))))


def test_open_incident_that_central_does_not_name_any_more_leaves_the_panel(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.after(1_000, LinkDown("gone"), LinkUp())
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=1)))

    assert "ready" == world.face


def test_incident_that_was_received_after_we_asked_stays(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(LinkDown("gone"), LinkUp(), world.receipt(1))
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=0)))

    assert "received" == world.face


# -- the clock


@pytest.mark.parametrize("jump_s", [-60 * 31_557_600, -3_600, 3_600, 50 * 31_557_600, 2**33])
def test_jump_of_the_wall_clock_moves_nothing_that_is_timed(world: World, jump_s: int) -> None:
    world.hold(Button.ATTACK)
    before = next_deadline_ms(world.state)
    world.do(ClockRead(1_795_530_720 + jump_s, is_proven=True))
    assert before == next_deadline_ms(world.state)

    world.after(2_000)
    assert "undelivered" == world.face
    world.do(world.receipt(1), world.ack(1))
    assert "answered" == world.face


def test_unproven_clock_writes_no_time_and_shows_none() -> None:
    world = World()
    world.start(wall=None)
    world.do(ClockRead(86_400, is_proven=False))
    world.online()
    assert "--:--  Net✓" == world.screen.lines[0]

    world.tap(Button.ASSIST)
    assert 0 == world.stored[1][0].frame.at_s
    assert "ASSIST --:--:--" == world.screen.lines[0]


def test_centrals_word_proves_a_clock_that_agrees_and_only_that() -> None:
    world = World()
    world.start(wall=None)
    world.do(ClockRead(int(world.wall().timestamp()) + 3, is_proven=False))
    world.online()
    assert not world.state.clock.is_proven, "a status is no proof"
    asked = world.of(PublishSync, world.log)[-1].sync
    answer = SyncAnswer(boot_id="central-1", counter_floor=0, nonce=asked.nonce, at=world.wall())
    world.do(world.answers(answer))
    assert world.state.clock.is_proven

    world.do(ClockRead(int(world.wall().timestamp()) + 60, is_proven=False))
    assert not world.state.clock.is_proven
    world.do(ClockRead(int(world.wall().timestamp()) + 60, is_proven=True))
    assert world.state.clock.is_proven, "NTP's word needs no second"


def test_clock_on_the_panel_is_local_and_turns_with_the_minute(world: World) -> None:
    world.do(ClockRead(int(world.wall().timestamp()), is_proven=True, utc_offset_s=3_600))
    assert "15:32  Net✓" == world.screen.lines[0]
    world.log.clear()
    world.live(59_999)
    assert [] == world.of(ShowScreen, world.log)
    world.live(1)
    assert "15:33  Net✓" == world.screen.lines[0]


@pytest.mark.parametrize("offset_s", [-86_399, 86_399, 10**9, -(10**9)])
def test_absurd_time_zone_is_harmless(world: World, offset_s: int) -> None:
    world.do(ClockRead(int(world.wall().timestamp()), is_proven=True, utc_offset_s=offset_s))

    assert "Net✓" in world.screen.lines[0]


def test_whole_seconds_read_again_do_not_make_the_clock_wander(world: World) -> None:
    before = world.state.clock.offset_ms
    world.after(700)
    world.do(ClockRead(int(world.wall().timestamp()), is_proven=True))

    assert before == world.state.clock.offset_ms


# -- the directory


def test_newer_directory_is_kept_and_older_is_counted(world: World) -> None:
    newer, older = world.directory(3), world.directory(2)
    done = world.do(
        DirectoryReceived(newer, b"three"), DirectoryReceived(older, b"two"), DirectoryReceived(newer, b"3")
    )

    assert [KeepDirectory(b"three", newer)] == world.of(KeepDirectory, done)
    assert 3 == world.state.directory.serial
    assert {"old directory": 1} == dict(world.state.rejected)


# -- parts


def test_failed_part_is_reported_retried_ever_more_seldom_and_recovers(world: World) -> None:
    world.live(5_000)
    done = world.do(PartFailed(Part.SOUNDER, "no such pin"))
    assert [[("sounder", "no such pin", 0)]] == [
        [(f.part, f.detail, f.age_ms) for f in h.faults] for h in healths(world, done)
    ]
    assert (("READY",), "Sounder fault") == (world.screen.headline, world.screen.lines[0])

    moments: list[int] = []
    start_ms = world.now_ms
    world.checks.append(
        lambda w, _event, effects: moments.extend(w.now_ms - start_ms for _ in w.of(RetryPart, effects))
    )
    world.live(200_000)
    assert [5_000, 15_000, 35_000, 75_000, 135_000, 195_000] == moments

    done = world.do(PartRecovered(Part.SOUNDER)) + world.live(1_000)
    assert () == healths(world, done)[-1].faults
    assert "ready" == world.face


def test_other_trouble_of_a_failed_part_is_told_with_the_next_report(world: World) -> None:
    world.do(PartFailed(Part.RADIO, "sound: gone"))
    assert not healths(world, world.do(PartFailed(Part.RADIO, "ptt: stuck")))
    assert ["ptt: stuck"] == [fault.detail for fault in healths(world, world.after(10_000))[-1].faults]


def test_flapping_part_reports_at_most_once_a_second(world: World) -> None:
    world.log.clear()
    for _ in range(50):
        world.after(100, PartFailed(Part.LED, "x"), PartRecovered(Part.LED))

    assert len(healths(world, world.log)) <= 6


@pytest.mark.parametrize("part", list(Part))
def test_no_failed_part_keeps_an_alert_from_going_out(world: World, part: Part) -> None:
    world.do(PartFailed(part, "broken"))
    world.hold(Button.ATTACK)

    assert 1 == len(world.published())


@pytest.mark.parametrize(("part", "line"), [(Part.BUTTONS, "Buttons do not work"), (Part.STORE, "Storage fault")])
def test_part_without_which_no_alert_can_go_says_use_the_radio(world: World, part: Part, line: str) -> None:
    world.do(PartFailed(part, "broken"))

    assert (("FAULT",), (line, "Use radio or call 999")) == (world.screen.headline, world.screen.lines)


def test_store_that_took_a_press_in_spite_of_a_fault_does_not_frighten(world: World) -> None:
    """A database that was set aside: the new one works."""
    world.do(PartFailed(Part.STORE, "an old database was set aside"))
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))
    world.live(60_000)

    assert (("READY",), "Storage fault") == (world.screen.headline, world.screen.lines[0])


def test_stuck_button_is_a_fault_of_the_buttons(world: World) -> None:
    """N1."""
    world.do(PinChanged(Button.ATTACK, is_down=True, is_initial=True))
    done = world.live(1_000)

    assert (("FAULT",), "ATTACK button is stuck") == (world.screen.headline, world.screen.lines[0])
    assert [("buttons", "attack stuck down")] == [(f.part, f.detail) for f in healths(world, done)[-1].faults]
    assert {} == world.stored

    done = world.do(PinChanged(Button.ATTACK, is_down=False)) + world.live(1_100)
    assert () == healths(world, done)[-1].faults
    assert "ready" == world.face


def test_level_before_the_start_is_no_press() -> None:
    world = World()
    world.do(PinChanged(Button.ATTACK, is_down=True))
    world.start()
    world.after(70_000)

    assert {} == world.stored


# -- health


def test_health_comes_every_ten_seconds_and_says_how_we_are(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(InputRejected("topic"), InputRejected("topic"))
    done = world.live(10_000)
    health = healths(world, done)[-1]

    assert ("armed", "boot-1", "1.4", 1, 1) == (
        health.state,
        health.boot_id,
        health.version,
        health.outbox_depth,
        health.directory_serial,
    )
    assert {"topic": 2} == health.rejected
    assert (10_000, 9_920) == (health.uptime_ms, health.oldest_unreceipted_ms)
    assert 10 == len(healths(world, world.live(100_000)))


def test_health_is_what_the_contract_allows() -> None:
    world = World()
    world.start(boot="b" * 500, wall=None)
    world.do(LinkUp(), *(PartFailed(part, "x\x00y" * 1_000) for part in Part))
    for n in range(100):
        world.do(InputRejected(f"reason {n}" * 20))
    health = healths(world, world.after(10_000))[-1]

    assert health == decode_message(encode_message(health), Health)
    assert len(health.rejected) <= 32
    assert 100 == sum(health.rejected.values())


def test_clock_that_is_not_proven_is_a_fault() -> None:
    world = World()
    world.start(wall=None)
    done = world.do(LinkUp())

    assert ["clock"] == [fault.part for fault in healths(world, done)[0].faults]
    assert healths(world, done)[0].at is None


def test_no_health_is_published_without_a_link(offline: World) -> None:
    assert [] == healths(offline, offline.after(100_000))


def test_idle_node_wakes_for_its_health_and_the_minute_only(world: World) -> None:
    """Idle CPU: nothing polls."""
    wakes = [0]
    world.checks.append(lambda _world, event, _effects: wakes.__setitem__(0, wakes[0] + isinstance(event, Ticked)))
    world.live(600_000)

    assert 60 <= wakes[0] <= 71


def test_idle_node_without_a_link_wakes_for_nothing_but_the_end_of_starting(offline: World) -> None:
    offline.after(11_000)

    assert None is next_deadline_ms(offline.state)


# -- the end


def test_stop_says_goodbye_and_then_nothing_moves(world: World) -> None:
    done = world.do(StopAsked())
    assert isinstance(done[-1], Stop)
    assert ["stopping"] == [health.state for health in healths(world, done)]
    assert ("STOPPING",) == world.screen.headline
    assert [SetLed(LedPattern.OFF)] == world.of(SetLed, done)

    assert [] == world.hold(Button.ATTACK)
    assert None is next_deadline_ms(world.state)


def test_now_that_runs_backwards_is_taken_to_stand_still(world: World) -> None:
    state, _ = step(world.state, Ticked(), -5_000)

    assert world.state.now_ms == state.now_ms


def test_status_of_a_wrong_central_clock_is_still_a_status(world: World) -> None:
    """An age beyond what a broker keeps is a fault of a clock, not of the message."""
    status = world.status().status
    wrong = type(status)(
        boot_id="central-1", at=status.at - timedelta(days=900), expires_at=status.at - timedelta(days=899), on_duty=()
    )
    world.after(20_000, type(world.status())(wrong))
    world.after(20_000)

    assert "ready" == world.face


def test_refused_write_of_something_else_is_a_fault_of_the_store(world: World) -> None:
    from node.core.events import StoreRefused  # noqa: PLC0415

    world.do(StoreRefused(None, "read-only file system"))

    assert ("Alerts are NOT saved", "Tell co-ordinator") == world.screen.lines
    assert [] == world.of(StoreFrame, world.log)
    world.do(LinkDown("gone"))
    assert ("Alerts are NOT saved", "Use radio or call 999") == world.screen.lines
