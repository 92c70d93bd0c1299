"""N2, N3, N6: from a finger to the disk, and what the presser is told at each step."""

from __future__ import annotations

import pytest

from node.core.controls import Button, LedPattern, SoundPattern
from node.core.effects import PlaySound, PublishFrame, ReportFact, ShowScreen, StoreFrame
from node.core.events import LinkDown, LinkUp
from node.core.screens import Emphasis
from tests.support.node_world import World
from wire.frames import Alert
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, MemberResponse
from wire.messages import MemberAnswer

OURS, BOOTS, CAFE = NodeId(0x10), NodeId(0x11), NodeId(0x12)

NOON_AT_S = 1_795_530_721


def test_press_is_stored_before_anything_else_and_published_only_then(world: World) -> None:
    """N2: in the step of the press there is nothing to publish; the disk's answer brings it."""
    world.disk_hangs = True
    done = world.tap(Button.ASSIST)

    assert isinstance(done[0], StoreFrame)
    assert [] == world.of(PublishFrame, done)
    assert [] == world.facts("stored")

    done = world.do(world.store(done[0]))
    assert isinstance(done[0], PublishFrame)
    assert ["pressed", "stored"] == [fact.fact for fact in world.facts()]
    assert ("SENDING",) == world.screen.headline
    assert ("ASSIST 14:32:00", "Saved on this unit") == world.screen.lines


def test_slow_disk_is_told_of_after_a_moment(world: World) -> None:
    world.disk_hangs = True
    world.tap(Button.ASSIST)
    assert "ready" == world.face

    world.after(200)
    assert (("PRESSED",), ("ASSIST 14:32:00", "Saving")) == (world.screen.headline, world.screen.lines)


def test_receipt_answer_and_departure_are_told_in_turn(world: World) -> None:
    """N3, with names: the frame carries a short one, the state the full one."""
    world.hold(Button.ATTACK)
    assert LedPattern.SENDING == world.state.led
    world.do(world.puback(1))
    assert "sending" == world.face

    world.after(300, world.receipt(1))
    assert (("RECEIVED",), ("by central system", "No one answered yet")) == (world.screen.headline, world.screen.lines)
    assert SoundPattern.CONFIRM == world.sounding
    assert LedPattern.RECEIVED == world.state.led

    world.at(15_000)
    world.do(world.ack(1))
    assert (("ANSWERED",), ("PCSO J Patel", "14:32:14 after 13 s")) == (world.screen.headline, world.screen.lines)

    world.do(world.says(OURS, 1, "answered", answer=world.answer("Jaswinder Patel")))
    assert "PCSO Jaswinder Patel" == world.screen.lines[0]
    assert 1 == len(world.facts("acknowledged"))

    world.do(world.ack(1, AnswerState.ON_THE_WAY))
    assert ("COMING",) == world.screen.headline
    assert "on the way 14:32" == world.screen.lines[1]
    assert LedPattern.ANSWERED == world.state.led

    world.do(world.ack(1, AnswerState.CLOSED, "S Singh"))
    assert (("CLOSED",), ("by PCSO S Singh", "at 14:32")) == (world.screen.headline, world.screen.lines)
    assert [FrameId(OURS, 1)] == [fact.alert for fact in world.facts("closed")]

    world.live(60_000)
    assert "ready" == world.face
    assert () == world.state.recent
    assert 0 == len(world.state.incidents)


@pytest.mark.parametrize(("role", "said"), [("duty-sergeant", "SGT"), ("co-ordinator", "CO-ORD"), ("mayor", "MAYOR")])
def test_role_is_told_by_its_short_name(world: World, role: str, said: str) -> None:
    """One that only a newer central knows, by its own name."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.says(OURS, 1, "answered", answer=world.answer("Jo Li", role)))

    assert f"{said} Jo Li" == world.screen.lines[0]


def test_facts_of_the_first_alert_carry_what_the_scripts_read(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.puback(1), world.receipt(1), world.ack(1), world.ack(1, AnswerState.CLOSED))

    assert [
        ReportFact("pressed", None, (("kind", "attack"), ("draft", "1"))),
        ReportFact("stored", FrameId(OURS, 1), (("kind", "attack"), ("incident", "00000010-1"))),
        ReportFact("published", FrameId(OURS, 1)),
        ReportFact("receipt", FrameId(OURS, 1), (("path", "network"), ("is_late", "false"))),
        ReportFact("acknowledged", FrameId(OURS, 1), (("role", "pcso"), ("name", "J Patel"), ("state", "answered"))),
        ReportFact("closed", FrameId(OURS, 1)),
    ] == world.facts()


def test_no_receipt_in_time_says_not_delivered_and_a_late_receipt_takes_it_back(world: World) -> None:
    world.hold(Button.ATTACK)
    pressed_ms = world.own(1).pressed_ms
    assert pressed_ms is not None
    world.do(world.puback(1))
    world.at(pressed_ms + 1_999)
    assert "sending" == world.face

    done = world.at(pressed_ms + 2_000)
    assert ("NOT", "DELIVERED") == world.screen.headline
    assert ("", "Use radio or call 999") == world.screen.lines
    assert Emphasis.INVERTED == world.screen.emphasis
    assert [PlaySound(SoundPattern.UNDELIVERED)] == world.of(PlaySound, done)
    assert [FrameId(OURS, 1)] == [fact.alert for fact in world.facts("undelivered")]

    done = world.after(60_000, world.receipt(1, is_late=True))
    assert (("RECEIVED",), "by central, LATE") == (world.screen.headline, world.screen.lines[0])
    assert [("is_late", "true")] == [d for fact in world.facts("receipt") for d in fact.detail if d[0] == "is_late"]


def test_receipt_that_came_in_time_is_never_called_overdue_by_a_slow_program(world: World) -> None:
    """The event goes before what is due at its moment."""
    world.hold(Button.ATTACK)
    world.now_ms += 5_000
    world.do(world.receipt(1))

    assert [] == world.facts("undelivered")


def test_broker_without_network_says_trying(offline: World) -> None:
    offline.tap(Button.ASSIST)

    assert (("TRYING",), ("Not received yet", "Saved, no network")) == (offline.screen.headline, offline.screen.lines)
    assert [] == offline.published()
    offline.after(2_000)
    assert "undelivered" == offline.face


def test_undelivered_sound_stops_with_the_receipt(world: World) -> None:
    world.tap(Button.ASSIST)
    world.after(3_000)
    assert SoundPattern.UNDELIVERED == world.sounding

    world.do(world.receipt(1))
    assert SoundPattern.CONFIRM == world.of(PlaySound, world.log)[-1].pattern
    world.after(5_000)
    assert SoundPattern.OFF == world.of(PlaySound, world.log)[-1].pattern


def test_undelivered_sound_ends_after_a_minute(world: World) -> None:
    world.tap(Button.ASSIST)
    world.after(63_000)

    assert "undelivered" == world.face
    assert SoundPattern.OFF == world.of(PlaySound, world.log)[-1].pattern


def test_attack_while_assist_is_open_is_an_upgrade_of_the_same_incident(world: World) -> None:
    """N2."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))
    world.after(20_000, world.status())
    world.hold(Button.ATTACK)

    frame = world.published()[-1].frame
    assert isinstance(frame, Alert)
    assert (AlertKind.ATTACK, 2, 1) == (frame.kind, frame.counter, frame.incident)
    assert "sending" == world.face

    world.do(world.receipt(2))
    assert ("by central system", "No one answered yet") == world.screen.lines, "Patel answered an assist, not this"


def test_assist_while_attack_is_open_is_a_repeat_and_names_who_answered_before(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.ack(1))
    world.tap(Button.ASSIST)
    frame = world.published()[-1].frame
    assert isinstance(frame, Alert)
    assert (AlertKind.ASSIST, 2, 1) == (frame.kind, frame.counter, frame.incident)

    world.do(world.receipt(2))
    assert ("received", ("earlier answer by", "PCSO J Patel")) == (world.face, world.screen.lines)


def test_repeat_is_not_called_received_while_the_attack_before_it_waits(world: World) -> None:
    """N3: of two alerts, the more urgent one decides what may be said."""
    world.hold(Button.ATTACK)
    world.tap(Button.ASSIST)
    world.do(world.receipt(2))
    assert "sending" == world.face

    world.do(world.receipt(1))
    assert "received" == world.face


def test_answer_to_the_assist_is_not_shown_for_the_attack_that_central_may_not_have(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.hold(Button.ATTACK)
    world.do(world.ack(1), world.says(OURS, 1, "answered", kind="assist", answer=world.answer()))

    assert "sending" == world.face
    world.do(world.receipt(2))
    assert "received" == world.face
    world.do(world.says(OURS, 1, "answered", revision=2, answer=world.answer(at=world.wall())))
    assert "answered" == world.face


def test_answer_to_the_upgrade_that_overtakes_its_receipt_is_shown_with_it(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.hold(Button.ATTACK)
    world.do(world.says(OURS, 1, "answered", kind="attack", answer=world.answer(at=world.wall())))
    assert "sending" == world.face

    world.do(world.receipt(2))
    assert "answered" == world.face


@pytest.mark.finding(3)
def test_answer_that_overtakes_the_receipt_of_a_single_alert_is_true_with_it(world: World) -> None:
    world.hold(Button.ATTACK)
    world.after(3_000, world.ack(1))
    assert "undelivered" == world.face

    world.do(world.receipt(1))
    assert "answered" == world.face
    assert 1 == len(world.facts("receipt"))


def test_closing_of_the_old_alert_does_not_close_the_new_press(world: World) -> None:
    """N2: never suppressed by old state."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.hold(Button.ATTACK)
    world.do(world.ack(1, AnswerState.CLOSED), world.says(OURS, 1, "closed", kind="assist"))

    assert "sending" == world.face
    world.do(world.receipt(2))
    assert "received" == world.face


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_press_after_the_end_opens_a_new_incident(world: World, end: str) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    if end == "cancel":
        world.hold(Button.CANCEL)
    else:
        world.do(world.ack(1, AnswerState.CLOSED))
    world.hold(Button.ATTACK)

    frame = world.published()[-1].frame
    assert isinstance(frame, Alert)
    assert frame.counter == frame.incident


def test_live_press_does_not_join_an_alert_that_will_arrive_late(offline: World) -> None:
    """N13: it would look late too."""
    offline.tap(Button.ASSIST)
    offline.after(50_000)
    offline.tap(Button.ASSIST)
    offline.after(20_000)
    offline.tap(Button.ASSIST)

    assert [1, 1, 3] == [alert.incident for alert in offline.alerts_on_disk()]


def test_press_does_not_join_an_incident_that_may_have_been_closed_unheard(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.after(1_000, LinkDown("gone"))
    world.after(300_000)
    world.tap(Button.ASSIST)

    assert 2 == world.alert_on_disk(2).incident


def test_press_joins_an_old_incident_that_central_still_has_open(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.live(400_000)
    world.hold(Button.ATTACK)

    assert 1 == world.alert_on_disk(2).incident


def test_test_press_is_an_alert_of_its_own_and_leaves_the_real_one_on_the_panel(world: World) -> None:
    world.hold(Button.ATTACK)
    world.tap(Button.TEST)
    frame = world.alert_on_disk(2)
    assert (AlertKind.TEST, 2) == (frame.kind, frame.incident)
    assert "ATTACK 14:32:01" == world.screen.lines[0]

    world.do(world.receipt(2))
    assert "sending" == world.face


def test_attack_does_not_join_a_test(world: World) -> None:
    world.tap(Button.TEST)
    world.hold(Button.ATTACK)

    assert 2 == world.alert_on_disk(2).incident


def test_test_says_how_far_it_came_and_makes_room(world: World) -> None:
    world.tap(Button.TEST)
    assert "TEST 14:32:00" == world.screen.lines[0]
    world.do(world.receipt(1))
    assert ("TEST reached central", "TEST 14:32:00") == world.screen.lines

    world.live(60_000)
    assert "ready" == world.face


def test_attack_let_go_too_soon_says_how_to_and_sends_nothing(world: World) -> None:
    """N1."""
    world.tap(Button.ATTACK, held_ms=400)

    assert (("HOLD",), ("Hold 1 s for ATTACK", "Nothing was sent")) == (world.screen.headline, world.screen.lines)
    assert {} == world.stored
    world.after(3_000)
    assert "ready" == world.face


def test_hint_never_covers_an_alert_that_central_has_not(world: World) -> None:
    world.tap(Button.ASSIST)
    world.tap(Button.ATTACK, held_ms=400)

    assert "sending" == world.face


def test_acknowledgement_taken_back_is_taken_back_on_the_panel(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1), world.ack(1, AnswerState.UNANSWERED))

    assert "received" == world.face
    assert ["answered", "unanswered"] == [dict(fact.detail)["state"] for fact in world.facts("acknowledged")]


def test_overtaken_acknowledgement_changes_nothing(world: World) -> None:
    """A repetition of ANSWERED that comes after UNANSWERED is old."""
    world.tap(Button.ASSIST)
    answered, taken_back = world.ack(1), world.ack(1, AnswerState.UNANSWERED)
    world.do(world.receipt(1), answered, taken_back, answered)

    assert "received" == world.face


def test_older_revision_changes_nothing(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.says(OURS, 1, "answered", revision=5, kind="assist", answer=world.answer()))
    world.do(world.says(OURS, 1, "unanswered", revision=4, kind="assist"))

    assert "answered" == world.face


def test_reopened_incident_is_told_of(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.says(OURS, 1, "closed", revision=5, kind="assist"))
    assert "closed" == world.face
    world.do(world.says(OURS, 1, "unanswered", revision=6, kind="assist"))

    assert "received" == world.face


def test_late_acknowledgement_frame_does_not_reopen_what_is_closed(world: World) -> None:
    world.tap(Button.ASSIST)
    late = world.ack(1)
    world.do(world.receipt(1), world.says(OURS, 1, "closed", revision=5, kind="assist"), late)

    assert "closed" == world.face


def test_members_who_come_are_named_and_told_once(world: World) -> None:
    """N5, as the presser sees it."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.response_from(BOOTS, 3, 1, MemberResponse.SEEN))
    assert "Seen by Boots" == world.screen.lines[1]

    world.do(world.response_from(CAFE, 9, 1), world.response_from(CAFE, 9, 1))
    assert "Cafe Nero coming" == world.screen.lines[1]

    assert 2 == len(world.facts("response"))
    boots = MemberAnswer(node="00000011", premises="Boots", response="seen", at=world.wall())
    world.do(world.says(OURS, 1, "answered", answer=world.answer(), members=(boots,)))
    assert 2 == len(world.facts("response"))
    assert ("PCSO Jaswinder Patel", "Cafe Nero coming") == world.screen.lines


def test_nobody_on_duty_is_said_to_the_presser(world: World) -> None:
    """C2."""
    world.do(world.status(on_duty=()))
    assert "NOBODY ON DUTY" == world.screen.lines[1]
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))

    assert ("by central system", "NOBODY ON DUTY") == world.screen.lines


@pytest.mark.finding(1)
def test_nobody_on_duty_is_not_said_to_the_presser_from_before_an_outage(world: World) -> None:
    """The receipt came over the new connection; who is on duty now, central has yet to say."""
    world.do(world.status(on_duty=()))
    world.do(LinkDown("gone"))
    world.after(120_000)
    world.do(LinkUp())
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))

    assert ("by central system", "No one answered yet") == world.screen.lines


def test_answer_gives_way_to_the_idle_face_after_a_minute_and_a_change_brings_it_back(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))
    world.live(60_000)
    assert "ready" == world.face

    world.do(world.ack(1, AnswerState.ON_THE_WAY))
    assert "on-the-way" == world.face


def test_received_stays_until_somebody_answers(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.live(600_000)

    assert "received" == world.face


def test_own_incident_that_this_disk_does_not_remember_is_shown_as_central_knows_it(world: World) -> None:
    """A restored card."""
    world.do(world.says(OURS, 40, "answered", answer=world.answer()))

    assert "answered" == world.face


def test_screen_is_ordered_only_when_it_changes(world: World) -> None:
    world.tap(Button.ASSIST)
    again = world.do(world.receipt(1)) and world.do(world.receipt(1))

    assert [] == world.of(ShowScreen, again)
