"""Long outages, wrong clocks, refusing disks: what the node says is still true, and it still warns (N3 … N5, N13)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.core.controls import Button
from node.core.effects import PlaySound, PublishSync, SetLed, ShowScreen
from node.core.events import CentralStatusReceived, LinkDown, LinkUp, Started, StoredFrame
from node.core.screens import Emphasis
from tests.support.members import NOON_S
from tests.support.node_world import World
from wire.frames import Alert
from wire.ids import NodeId
from wire.kinds import AlertKind, AnswerState
from wire.messages import CentralStatus, SyncAnswer

OURS, BOOTS = NodeId(0x10), NodeId(0x11)


@pytest.mark.parametrize("broken", ["central", "disk"])
def test_neighbours_alert_is_seen_and_heard_although_ours_is_undelivered(offline: World, broken: str) -> None:
    """N5, N9: after its first minute our own NOT DELIVERED shares the panel, however long the outage lasts."""
    offline.disk_full = broken == "disk"
    offline.do(LinkUp())
    offline.tap(Button.ASSIST)
    offline.after(30_000, offline.alert_from(BOOTS, 5))
    assert [] == offline.facts("shown")

    offline.after(3_600_000)
    offline.log.clear()
    offline.do(offline.alert_from(BOOTS, 6))
    offline.after(11_000)

    assert ["00000011-6"] == offline.shown()
    assert ["attack"] == [order.pattern.value for order in offline.of(PlaySound, offline.log)]
    faces = {order.screen.face.value for order in offline.of(ShowScreen, offline.log)}
    assert {"neighbour", "not-stored" if broken == "disk" else "undelivered"} == faces


@pytest.mark.one_python
def test_receipt_of_long_ago_does_not_stand_before_no_link_after_a_restart(world: World) -> None:
    """N3: RECEIVED, with nothing heard since the restart, is told for a minute and not for days."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.after(20 * 3_600_000)
    world.restart()
    assert "received" == world.face

    world.after(61_000)
    assert ("NO LINK",) == world.screen.headline
    assert "fault" == world.state.led


def test_neighbours_alert_without_a_time_becomes_late_by_centrals_word(world: World) -> None:
    """N13: its frame says nothing of its age, its sender told central."""
    world.do(world.alert_from(BOOTS, 5, at_s=0))
    assert Emphasis.INVERTED == world.screen.emphasis

    world.do(world.says(BOOTS, 5, late=True))
    assert (Emphasis.FRAMED, "LATE --:-- ▲Seen") == (world.screen.emphasis, world.screen.lines[1])
    assert world.state.sounding is None


def test_live_press_in_a_late_incident_stays_live(world: World) -> None:
    """Central's word on the incident may be older than the press."""
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST, at_s=0), world.alert_from(BOOTS, 6, incident=5))
    world.do(world.says(BOOTS, 5, late=True))

    assert Emphasis.INVERTED == world.screen.emphasis


def test_row_whose_age_nobody_knows_is_never_called_live() -> None:
    """N13: pressed without a proven clock, before the machine was switched off: old, and central must know."""
    world = World()
    frame = world.signed(Alert(OURS, 1, 0, AlertKind.ATTACK, 1, (1,)))
    world.do(Started("boot-2", (StoredFrame(frame, None, is_receipted=False),), (), world.directory(), 1))
    world.after(5_000)
    sync = world.of(PublishSync, world.do(LinkUp()))[0].sync

    assert [(1, 61_000)] == [(p.counter, p.age_ms) for p in sync.pending]


def test_row_with_a_time_of_its_own_is_not_said_to_be_older_than_is_known() -> None:
    """N13: pressed on central's time, then a power cut, and no proven clock: it may be 20 s old."""
    world = World()
    frame = world.signed(Alert(OURS, 1, NOON_S, AlertKind.ATTACK, 1, (1,)))
    world.do(Started("boot-2", (StoredFrame(frame, None, is_receipted=False),), (), world.directory(), 1))
    at_once = world.of(PublishSync, world.after(5_000, LinkUp()))[0].sync
    later = world.of(PublishSync, world.after(60_000, LinkDown("gone"), LinkUp()))[0].sync

    assert ((), [(1, 65_000)]) == (at_once.pending, [(p.counter, p.age_ms) for p in later.pending])


def test_frames_without_a_time_are_named_before_those_that_bear_one() -> None:
    world = World()
    rows = [
        StoredFrame(world.signed(Alert(OURS, n, 1_795_530_000 if n <= 200 else 0, AlertKind.TEST, n, (1,))), 0, False)  # noqa: FBT003
        for n in range(1, 203)
    ]
    world.do(Started("boot-2", tuple(rows), (), world.directory(), 202))
    pending = world.of(PublishSync, world.do(LinkUp()))[0].sync.pending

    assert [*range(1, 127), 201, 202] == [p.counter for p in pending]


def test_heart_that_beats_by_a_wrong_clock_still_proves_the_path(offline: World) -> None:
    """A minute between central's clock and ours must not turn a whole town to NO LINK."""
    offline.do(LinkUp())
    faces = []
    for _ in range(2):
        at = offline.wall() - timedelta(seconds=60)
        status = CentralStatus(boot_id="central-1", at=at, expires_at=at + timedelta(seconds=30), on_duty=("cctv",))
        offline.do(CentralStatusReceived(status), CentralStatusReceived(status))
        faces.append(offline.face)
        offline.after(10_000)

    assert ["boot", "ready"] == faces


def test_heartbeats_that_a_broker_kept_and_gives_all_at_once_prove_nothing(offline: World) -> None:
    kept = []
    for _ in range(3):
        kept.append(offline.status())
        offline.after(10_000)
    offline.after(120_000, LinkUp(), *kept)

    assert ("NO LINK",) == offline.screen.headline


def test_disk_that_first_refuses_at_a_silent_press_shows_in_the_dots_alone(silent: World) -> None:
    """N4: a face and a lamp that change at the moment of the press tell of it."""
    before = silent.screen
    silent.disk_full = True
    silent.log.clear()
    silent.hold(Button.ATTACK)

    assert (before.headline, before.lines) == (silent.screen.headline, silent.screen.lines)
    assert [] == silent.of(SetLed, silent.log)

    silent.live(901_000)
    assert "Alerts are NOT saved" == silent.screen.lines[0], "the quarter of an hour is over"


def test_silent_press_that_was_never_saved_is_taken_back_without_a_word(silent: World) -> None:
    silent.disk_full = True
    silent.hold(Button.ATTACK)
    silent.log.clear()
    silent.hold(Button.CANCEL)

    assert "hint" not in {order.screen.face.value for order in silent.of(ShowScreen, silent.log)}


def test_answer_and_closing_heard_late_bear_the_times_they_were_given(world: World) -> None:
    """N3: ten minutes without a network do not make central's answer ten minutes slower."""
    world.tap(Button.ASSIST)
    world.after(14_000, world.receipt(1))
    answer = world.ack(1)
    world.do(LinkDown("gone"))
    world.after(600_000, LinkUp(), answer)
    assert ("PCSO J Patel", "14:32:14 after 14 s") == world.screen.lines

    closing = world.ack(1, AnswerState.CLOSED)
    world.after(600_000, closing)
    assert ("by PCSO J Patel", "at 14:42") == world.screen.lines


def test_closing_of_unknown_time_says_when_it_was_heard(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.says(OURS, 1, "closed"))

    assert ("by central", "heard at 14:32") == world.screen.lines


def test_who_answered_is_not_told_as_who_closed_it(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.says(OURS, 1, "closed", answer=world.answer("Jo Li")))

    assert "by central" == world.screen.lines[0]


def test_another_run_of_central_may_count_its_revisions_anew(world: World) -> None:
    """It may have been restored from an older copy."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.says(OURS, 1, revision=9))
    world.do(world.says(OURS, 1, "answered", revision=0, answer=world.answer("Jo Li")))
    assert "received" == world.face

    same = world.incident_state(OURS, 1, revision=9)
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=1, incidents=(same,))))
    restored = world.incident_state(OURS, 1, "answered", revision=0, answer=world.answer("Jo Li"))
    world.do(world.answers(SyncAnswer(boot_id="central-2", counter_floor=1, incidents=(restored,))))

    assert "answered" == world.face


def test_list_closes_each_that_it_does_not_name_and_none_that_is_closed_hides_another(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.says(OURS, 1, "closed"))
    world.tap(Button.ASSIST)
    world.do(world.receipt(2))
    assert (1, 2) == tuple(world.state.recent)
    world.after(45_000, LinkUp())

    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=2)))

    assert 2 not in world.state.recent


def test_answer_by_radio_counts_though_centrals_clock_was_set_back_meanwhile(world: World) -> None:
    """N9: central was half an hour ahead when it was last asked; its true clock must not cost a cut-off shop COMING."""
    ahead_at = world.wall() + timedelta(minutes=30)
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=0, at=ahead_at)))
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    assert "received" == world.face
    world.do(LinkDown("cable out"))

    world.do(world.ack(1, AnswerState.ON_THE_WAY))

    assert "on-the-way" == world.face


def test_list_without_what_is_closed_does_not_make_its_closing_unknown(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1, AnswerState.CLOSED, "S Singh"))
    closed = world.screen

    world.after(5_000, LinkUp())
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=1)))

    assert ("by PCSO S Singh", "at 14:32") == closed.lines == world.screen.lines
    assert 1 == len(world.facts("closed"))


def test_answer_to_an_earlier_question_takes_nothing_back_that_was_said_since(world: World) -> None:
    """N3: a closing comes by a connection of its own, and may overtake what central answered a moment before."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.after(60_000, LinkUp())
    world.after(10, world.ack(1, AnswerState.CLOSED, ""))
    said_before = len(world.facts("acknowledged"))

    open_still = world.incident_state(NodeId(0x10), 1, state="unanswered", revision=3)
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=1, incidents=(open_still,))))

    assert "closed" == world.face
    assert said_before == len(world.facts("acknowledged"))
