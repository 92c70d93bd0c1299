"""Incidents: opened by a press, never swallowed by old state, closed by a person only (N2, N5, N6, C1)."""

from __future__ import annotations

from itertools import permutations

import pytest

from central.core import effects as do
from central.core.view import Acknowledge, Close, SetOnTheWay
from tests.support.central_town import ARCADE, BAKERY, CORNER, START, Town, only
from wire.frames import Alert, Cancel, Frame, Response
from wire.ids import FrameId
from wire.kinds import AlertKind, CancelReason, MemberResponse

SEVEN = FrameId(CORNER, 7)


def whats(town: Town) -> list[str]:
    return [line.what for line in town.card().history]


def test_incident_is_raised_by_an_upgrade(town: Town) -> None:
    """N2: assist → attack is the same incident, more urgent."""
    town.press(7)

    town.press(8, AlertKind.ATTACK, incident=7)

    card = town.card()
    assert ("attack", 1, 2) == (card.kind, card.priority, card.alert_count)
    assert ["pressed", "upgraded"] == whats(town)


def test_incident_that_was_answered_is_unanswered_again_after_an_upgrade(town: Town) -> None:
    """A person must see that it has become an attack."""
    town.press(7)
    town.act(Acknowledge("00000010-7"))

    said = town.press(8, AlertKind.ATTACK, incident=7)

    assert ("unanswered", None) == (town.card().state, town.card().answered_by)
    assert "unanswered" == only(said, do.PublishIncident)[0].state.state


def test_incident_stays_answered_when_the_same_is_pressed_again(town: Town) -> None:
    town.press(7)
    town.act(Acknowledge("00000010-7"))

    town.press(8, AlertKind.ASSIST, incident=7)

    assert ("answered", 2) == (town.card().state, town.card().alert_count)
    assert ["pressed", "acknowledged", "repeated"] == whats(town)


@pytest.mark.parametrize(("seconds", "state"), [(60, "on-the-way"), (61, "unanswered")])
def test_incident_calls_anew_when_the_same_is_pressed_long_after_the_answer(
    town: Town, seconds: int, state: str
) -> None:
    """N2: nobody closed the first; the second must be heard all the same, and its presser told of no old answer."""
    town.press(7, AlertKind.ATTACK)
    town.act(SetOnTheWay("00000010-7"))
    town.later(seconds)

    said = town.press(8, AlertKind.ATTACK, incident=7)

    assert (state, state) == (town.card().state, only(said, do.PublishIncident)[0].state.state)
    assert ["pressed", "on-the-way", "repeated"] == whats(town)


def test_incident_stays_answered_when_an_old_press_of_it_comes_in_late(town: Town) -> None:
    town.press(7)
    town.act(Acknowledge("00000010-7"))
    town.later(600)

    town.press(8, AlertKind.ASSIST, incident=7, at_s=int(START.timestamp()))

    assert ("answered", 2) == (town.card().state, town.card().alert_count)


def test_incident_never_becomes_less_urgent(town: Town) -> None:
    town.press(7, AlertKind.ATTACK)

    town.press(8, AlertKind.ASSIST, incident=7)

    assert "attack" == town.card().kind


def test_incident_that_was_closed_is_opened_again_by_a_press(town: Town) -> None:
    """N2: never suppressed by old state."""
    town.press(7)
    town.act(Close("00000010-7", "all well"))

    said = town.press(8, incident=7)

    card = town.card()
    assert ("unanswered", "", None) == (card.state, card.outcome, card.answered_by)
    assert ["pressed", "closed", "reopened"] == whats(town)
    assert "unanswered" == only(said, do.PublishIncident)[0].state.state


def test_incident_is_new_when_a_new_alert_comes_while_another_is_open(town: Town) -> None:
    town.press(7)

    town.press(8)

    assert {"00000010-7", "00000010-8"} == {card.incident for card in town.board().cards}


def test_incident_is_opened_by_an_alert_that_names_one_nobody_knows(town: Town) -> None:
    """Its first alert is still under way, or was lost with a card."""
    town.press(8, AlertKind.ATTACK, incident=7)

    assert ("attack", "unanswered") == (town.card().kind, town.card().state)


def test_incident_that_is_cancelled_stays_open(town: Town) -> None:
    """N6."""
    town.press(7)

    town.cancel(8, 7, CancelReason.STAND_DOWN)

    assert ("unanswered", "stand-down") == (town.card().state, town.card().cancelled)


def test_incident_shows_a_cancel_that_overtook_its_alert(town: Town) -> None:
    first = town.cancel(8, 7)
    town.press(7)

    assert 1 == len(only(first, do.SendReceipt))
    assert ("unanswered", "mistake") == (town.card().state, town.card().cancelled)
    # The second entry of the journal changed it last, though the first was applied after it.
    assert 2 == town.card().revision


def test_incident_is_no_longer_cancelled_when_it_is_pressed_again(town: Town) -> None:
    town.press(7)
    town.cancel(8, 7)

    town.press(9, AlertKind.ATTACK, incident=7)

    assert None is town.card().cancelled


@pytest.mark.one_python
def test_incident_ends_the_same_in_whatever_order_its_frames_arrive() -> None:
    """QoS 1 and two paths reorder; counters say what came first."""
    at_s = int(START.timestamp())
    frames: tuple[Frame, ...] = (
        Alert(CORNER, 7, at_s, AlertKind.ASSIST, 7, (1,)),
        Alert(CORNER, 8, at_s + 5, AlertKind.ATTACK, 7, (1,), silent=True),
        Cancel(CORNER, 9, at_s + 9, 7, CancelReason.MISTAKE, (1,)),
        Response(BAKERY, 4, at_s + 7, SEVEN, MemberResponse.SEEN, (1,)),
        Response(BAKERY, 5, at_s + 8, SEVEN, MemberResponse.RESPONDING, (1,)),
    )
    ends = set()
    for order in permutations(frames):
        town = Town()
        for frame in order:
            town.send(frame)
        card = town.card()
        members = tuple((line.node, line.response) for line in card.members)
        ends.add((card.kind, card.state, card.cancelled, card.is_silent, card.pressed_at, card.alert_count, members))

    assert {("attack", "unanswered", "mistake", True, START, 2, (("00000011", "responding"),))} == ends


def test_incident_is_live_when_a_live_press_follows_a_late_one(town: Town) -> None:
    """N13 the other way round: what is live is never shown as late."""
    town.press(7, at_s=int(START.timestamp()) - 3_600)

    town.press(8, incident=7)

    assert not town.card().is_late


def test_incident_stays_live_when_an_older_press_of_it_comes_in_late(town: Town) -> None:
    town.press(8, AlertKind.ATTACK, incident=7)

    town.press(7, at_s=int(START.timestamp()) - 3_600)

    assert not town.card().is_late


def test_incident_of_a_drill_becomes_real_and_unanswered_with_a_real_press(town: Town) -> None:
    town.press(7, AlertKind.ATTACK, drill=True)
    town.act(Acknowledge("00000010-7"))

    town.press(8, AlertKind.ATTACK, incident=7)

    assert (False, "unanswered") == (town.card().is_drill, town.card().state)


def test_incident_of_a_test_is_upgraded_by_a_real_alert(town: Town) -> None:
    """N12: who presses attack during a test means it."""
    town.press(7, AlertKind.TEST)

    town.press(8, AlertKind.ATTACK, incident=7)

    assert ("attack", 1) == (town.card().kind, town.card().priority)


def test_incident_tells_members_what_other_members_press(town: Town) -> None:
    """N5."""
    town.press(7)

    said = town.respond(BAKERY, 1, SEVEN, MemberResponse.RESPONDING)

    assert ["responding"] == [member.response for member in only(said, do.PublishIncident)[0].state.members]
    fact = next(order for order in only(said, do.ReportFact) if order.fact == "response")
    assert (SEVEN, "Bakery") == (fact.alert, dict(fact.detail)["from_premises"])


def test_card_tells_who_of_the_members_pressed_what(town: Town) -> None:
    town.press(7)
    town.respond(BAKERY, 1, SEVEN, MemberResponse.RESPONDING)

    line = town.card().history[-1]
    assert (town.now_at, "member", "Bakery: responding") == (line.at, line.what, line.text)


def test_two_responses_of_one_member_wait_each_for_its_alert(town: Town) -> None:
    """A frame by radio may come before the one that it answers."""
    town.respond(BAKERY, 1, SEVEN, MemberResponse.SEEN)
    town.respond(BAKERY, 2, FrameId(CORNER, 8), MemberResponse.RESPONDING)

    said = [order for counter in (7, 8) for order in only(town.press(counter), do.PublishIncident)]

    told = {order.state.incident: [member.response for member in order.state.members] for order in said}
    assert {"00000010-7": ["seen"], "00000010-8": ["responding"]} == told


def test_incident_of_two_schemes_is_told_to_each_of_them(town: Town) -> None:
    said = town.press(7, node=ARCADE)

    assert ["hart", "pubwatch"] == [order.state.scheme for order in only(said, do.PublishIncident)]


def test_incident_revisions_rise_over_a_restart(town: Town) -> None:
    """A tool that ignores older revisions must not ignore what comes after central's restart."""
    first = only(town.press(7), do.PublishIncident)[0].state.revision
    second = only(town.press(8, incident=7), do.PublishIncident)[0].state.revision

    assert second > first > 0


def test_incident_never_expires(town: Town) -> None:
    """C1: no time window hides an open alert."""
    town.press(7)

    town.later(2 * 86_400, tick_s=30)

    assert "unanswered" == town.card().state


def test_incident_that_was_closed_leaves_the_board_after_an_hour(town: Town) -> None:
    town.press(7)
    town.act(Close("00000010-7", "all well"))
    town.later(3_590)
    before = len(town.board().cards)
    town.later(20)

    assert (1, 0) == (before, len(town.board().cards))
