"""Answers and warnings over the air: for whom the network does not reach, and for nobody else (N5, N9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from central.core import effects as do
from central.core.journal import KeptNode, KeptPath, Recall
from central.core.view import Acknowledge, Close, Person, SetOnTheWay, UndoAcknowledge
from tests.support.central_town import (
    ARCADE,
    BAKERY,
    CORNER,
    CROWN,
    GATEWAY,
    KEYS,
    PATEL,
    SCHEMES,
    START,
    Town,
    keep_alive,
    make_directory,
    only,
    radio_town,
)
from wire.frames import Alert, PathTest, encode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, CancelReason, MemberResponse, Path

SEVEN = FrameId(CORNER, 7)
INCIDENT = "00000010-7"


def receipts(said: list[do.Effect]) -> list[do.SendReceiptsToAir]:
    return only(said, do.SendReceiptsToAir)


# Acknowledgements.


def acknowledgements(said: list[do.Effect]) -> list[NodeId | None]:
    return [o.air for o in only(said, do.SendAcknowledgement)]


def test_acknowledgement_of_a_presser_off_the_network_goes_over_the_air_too(air: Town) -> None:
    """N9: the answer comes back over the path that works: heard by radio after its last sign of life."""
    air.later(1)
    air.hear(air.alert())
    before = len(air.said)
    air.act(Acknowledge(INCIDENT))

    assert [GATEWAY] == acknowledgements(air.said[before:])


def test_acknowledgement_is_said_twice_and_not_a_third_time(air: Town) -> None:
    """Nothing says that it arrived; six seconds later it is said once more."""
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))

    said = air.later(5)
    assert [] == only(said, do.SayAcknowledgement)
    said = air.later(20)
    assert [do.SayAcknowledgement(GATEWAY, SEVEN)] == only(said, do.SayAcknowledgement)


def test_acknowledgement_is_said_again_in_the_moment_it_is_due(air: Town) -> None:
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))

    assert [do.SayAcknowledgement(GATEWAY, SEVEN)] == only(air.later(6), do.SayAcknowledgement)


def test_acknowledgement_is_not_said_a_second_time_to_who_is_back_on_the_network(air: Town) -> None:
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))
    air.later(2)
    air.beat(CORNER)

    assert [] == only(air.later(20), do.SayAcknowledgement)


def test_acknowledgement_that_another_one_follows_is_not_repeated(air: Town) -> None:
    """The newer one is said twice instead; the older would be untrue by then."""
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))
    air.later(3)
    air.act(UndoAcknowledge(INCIDENT))
    air.later(3)
    air.act(SetOnTheWay(INCIDENT))
    air.act(Close(INCIDENT, "Police attended"))

    assert [GATEWAY] * 4 == acknowledgements(air.said)
    assert 1 == len(only(air.later(20), do.SayAcknowledgement))


@pytest.mark.finding(6)
@pytest.mark.parametrize("closed", [False, True])
def test_press_that_asks_anew_is_said_to_be_unanswered_and_nothing_older_again(air: Town, *, closed: bool) -> None:
    """Else a shop that missed the closing would go on reading that help is coming."""
    air.hear(air.alert(7, CORNER, AlertKind.ASSIST), GATEWAY)
    keep_alive(air, 31, GATEWAY, BAKERY)
    air.act(SetOnTheWay(INCIDENT), PATEL)
    if closed:
        air.act(Close(INCIDENT, "left"), PATEL)
    air.later(2)
    before = len(air.said)
    air.hear(air.alert(8, CORNER, AlertKind.ATTACK, incident=7), GATEWAY)
    assert "unanswered" == air.card().state

    said = only(air.said[before:], do.SendAcknowledgement)
    assert [(GATEWAY, AnswerState.UNANSWERED)] == [(order.air, order.state) for order in said]
    assert [do.SayAcknowledgement(GATEWAY, SEVEN)] == only(air.later(10), do.SayAcknowledgement)


@pytest.mark.finding(6)
@pytest.mark.parametrize("second", [AlertKind.ATTACK, AlertKind.ASSIST])
def test_press_that_asks_nobody_anew_changes_no_acknowledgement(air: Town, second: AlertKind) -> None:
    """The first one, and one that the answer covers."""
    air.hear(air.alert(7, CORNER, second), GATEWAY)
    assert [] == only(air.said, do.SendAcknowledgement)
    air.act(Acknowledge(INCIDENT), PATEL)
    before = len(air.said)
    air.hear(air.alert(8, CORNER, second, incident=7), GATEWAY)

    assert ("answered", []) == (air.card().state, only(air.said[before:], do.SendAcknowledgement))


def test_answer_that_was_taken_back_is_said_to_be_twice_whatever_comes_in_between(air: Town) -> None:
    """Else a shop that missed the first would go on reading ANSWERED."""
    air.hear(air.alert(7, CORNER, AlertKind.ASSIST), GATEWAY)
    keep_alive(air, 31, GATEWAY, BAKERY)
    air.act(Acknowledge(INCIDENT), PATEL)
    air.later(2)
    air.act(UndoAcknowledge(INCIDENT), PATEL)
    air.respond(BAKERY, 5, SEVEN, MemberResponse.SEEN)

    assert [do.SayAcknowledgement(GATEWAY, SEVEN)] == only(air.later(12), do.SayAcknowledgement)


def test_acknowledgement_of_a_presser_that_is_back_on_the_network_goes_there_alone(air: Town) -> None:
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))
    air.later(1)
    air.beat(CORNER)
    air.act(SetOnTheWay(INCIDENT))

    assert [GATEWAY, None] == acknowledgements(air.said)
    assert [] == only(air.later(20), do.SayAcknowledgement)


def test_newer_acknowledgement_that_went_by_network_alone_is_said_to_who_is_cut_off_again(air: Town) -> None:
    """Cut off, back, cut off again within seconds: only the newest is kept, so what is no longer so is never said."""
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))
    air.later(1)
    air.beat(CORNER)
    air.act(SetOnTheWay(INCIDENT))
    air.later(1)
    air.hear(air.alert(8, incident=7))

    assert [do.SayAcknowledgement(GATEWAY, SEVEN)] * 2 == only(air.later(20), do.SayAcknowledgement)


def test_acknowledgement_of_an_alert_by_network_never_goes_over_the_air(air: Town) -> None:
    air.press(7)
    keep_alive(air, 40, GATEWAY)
    assert "no-contact" == air.node_state(CORNER)
    air.act(Acknowledge(INCIDENT))

    assert [None] == acknowledgements(air.said)


def test_acknowledgement_of_an_alert_by_network_goes_over_the_air_if_its_presser_with_a_radio_fell_silent(
    air: Town,
) -> None:
    """The cable was cut after the press: the answer must not wait for its repair."""
    cut_off(air, ARCADE)
    air.send(air.alert(7, ARCADE))
    keep_alive(air, 40, GATEWAY)
    air.act(Acknowledge("00000013-7"))

    assert [GATEWAY] == acknowledgements(air.said)
    assert not air.card("00000013-7").is_untold


def test_card_says_that_the_shop_is_not_told_until_the_network_reaches_it_again(air: Town) -> None:
    """N3, the other way round: the operator believes nothing that is not so."""
    air.press(7)
    keep_alive(air, 40, GATEWAY)
    assert not air.card().is_untold
    air.act(Acknowledge(INCIDENT))
    assert air.card().is_untold

    air.later(5)
    assert air.card().is_untold
    air.beat(CORNER)
    air.later(1)
    assert not air.card().is_untold


def test_radio_test_heard_between_two_heartbeats_does_not_make_a_shop_look_cut_off(air: Town) -> None:
    air.press(7)
    air.later(1)
    air.hear(PathTest(CORNER, 8, int(air.now_at.timestamp()), Path.RADIO))
    air.act(Acknowledge(INCIDENT))

    assert not air.card().is_untold
    assert [None] == acknowledgements(air.said)


def test_card_of_an_alert_by_radio_says_so_too_if_nobody_may_transmit() -> None:
    town = radio_town(has_gateway=False)
    town.beat(BAKERY, "listening")
    town.later(1)
    town.hear(town.alert())
    town.act(Acknowledge(INCIDENT))
    assert town.card().is_untold

    town.beat(BAKERY, "untested")
    town.act(SetOnTheWay(INCIDENT))
    assert not town.card().is_untold


def test_acknowledgements_do_not_use_up_the_receipt_of_the_next_alert(air: Town) -> None:
    air.later(1)
    air.hear(air.alert())
    for _ in range(12):
        air.act(Acknowledge(INCIDENT))
        air.act(UndoAcknowledge(INCIDENT))

    assert 8 == sum(via is not None for via in acknowledgements(air.said))
    assert 1 == len(receipts(air.hear(air.alert(8))))


def test_acknowledgement_goes_through_who_heard_the_presser_where_there_is_no_gateway() -> None:
    town = radio_town(has_gateway=False)
    town.later(1)
    town.hear(town.alert())
    town.act(Acknowledge(INCIDENT))

    assert [BAKERY] == acknowledgements(town.said)


# Members whom the network does not reach.


def cut_off(town: Town, node: NodeId = ARCADE) -> None:
    """This one has a radio and falls silent; everybody else lives."""
    town.beat(node, "ready")
    keep_alive(town, 40, *(n for n in (*SCHEMES, GATEWAY) if n != node))
    assert "no-contact" == town.node_state(node)


def test_alert_is_put_on_the_air_for_a_member_that_only_a_radio_reaches(air: Town) -> None:
    """N5, N9: the same bytes, once, through the gateway."""
    cut_off(air)
    alert = air.alert()

    said = air.send(alert)
    again = air.send(alert)

    assert [do.SendFrameToAir(GATEWAY, encode(alert, KEYS[CORNER]))] == only(said, do.SendFrameToAir)
    assert [] == only(again, do.SendFrameToAir)


def test_alert_of_another_scheme_is_not(air: Town) -> None:
    """G4: what is Pub Watch's is not said for a member of HART."""
    cut_off(air, BAKERY)

    assert [] == only(air.send(air.alert(1, CROWN)), do.SendFrameToAir)
    assert 1 == len(only(air.send(air.alert(7)), do.SendFrameToAir))


def test_gateway_of_another_scheme_is_not_asked_to_say_a_members_alert() -> None:
    """G4: two schemes may have a radio each in the control room."""
    town = radio_town()
    cut_off(town)
    record = town.core._nodes.find(GATEWAY)
    assert record is not None
    record.sender = replace(record.sender, schemes=frozenset({2}))

    assert [] == only(town.send(town.alert()), do.SendFrameToAir)
    assert 1 == len(only(town.send(town.alert(1, CROWN)), do.SendFrameToAir))


@pytest.mark.parametrize("kind", [AlertKind.TEST, AlertKind.CALL_REQUEST, AlertKind.FAULT])
def test_what_concerns_central_alone_is_not_put_on_the_air(air: Town, kind: AlertKind) -> None:
    cut_off(air)

    assert [] == only(air.send(air.alert(kind=kind)), do.SendFrameToAir)


@pytest.mark.parametrize(("drill", "at_s"), [(True, None), (False, int(START.timestamp()) - 300)])
def test_drill_and_late_alert_are_not_put_on_the_air(air: Town, *, drill: bool, at_s: int | None) -> None:
    cut_off(air)

    assert [] == only(air.send(air.alert(drill=drill, at_s=at_s)), do.SendFrameToAir)


def test_alert_that_came_by_radio_is_not_put_on_the_air_again(air: Town) -> None:
    cut_off(air)

    assert [] == only(air.hear(air.alert()), do.SendFrameToAir)


def test_alert_is_not_put_on_the_air_while_the_network_reaches_everybody(air: Town) -> None:
    """The town's channel is not for what MQTT has done already."""
    keep_alive(air, 20, *SCHEMES, GATEWAY)

    assert [] == only(air.send(air.alert()), do.SendFrameToAir)


def test_cancel_follows_an_alert_that_was_put_on_the_air_and_no_other(air: Town) -> None:
    """N6: whoever heard ATTACK there must hear that it is over."""
    air.send(air.alert(5, kind=AlertKind.ASSIST))
    cut_off(air)
    air.send(air.alert())

    assert 1 == len(only(air.cancel(8, 7, CancelReason.STAND_DOWN), do.SendFrameToAir))
    assert [] == only(air.cancel(9, 5), do.SendFrameToAir)


def test_stolen_node_cannot_fill_the_air_with_alerts(air: Town) -> None:
    cut_off(air)

    said = [air.send(Alert(CORNER, n, int(air.now_at.timestamp()), AlertKind.ATTACK, n, (1,))) for n in range(1, 41)]

    assert 8 == sum(len(only(one, do.SendFrameToAir)) for one in said)


def test_member_that_was_heard_on_the_radio_before_a_restart_is_known_to_have_one() -> None:
    """The disk remembers who was heard: a member that has been cut off since is warned after a restart, too."""
    kept = KeptPath(ARCADE, radio_heard_at=START - timedelta(days=2), heard_by=BAKERY)
    nodes = (KeptNode(ARCADE, START - timedelta(hours=1), "n1"),)
    town = Town(Recall(paths=(kept,), nodes=nodes), make_directory(has_gateway=True))
    keep_alive(town, 40, CORNER, GATEWAY)

    assert ("no-contact", "unknown", ("Bakery",)) == (
        town.node_state(ARCADE),
        town.radio(ARCADE).state,
        town.radio(ARCADE).heard_by,
    )
    assert 1 == len(only(town.send(town.alert()), do.SendFrameToAir))


def test_person_of_a_role_that_is_none_says_nothing_over_the_air(air: Town) -> None:
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT), Person("", "Nobody"))
    air.act(Acknowledge(INCIDENT), PATEL)

    assert 1 == len(acknowledgements(air.said))
