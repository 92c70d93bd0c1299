"""What central says over the air: through whom, how often, and never for ever (N8, N9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.air import HEARINGS_MAX
from central.core.journal import KeptNode, KeptPath, Recall, SeenFrame
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
    make_directory,
    only,
    radio_town,
)
from wire.frames import Alert, Receipted, encode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, CancelReason

SEVEN = FrameId(CORNER, 7)
INCIDENT = "00000010-7"


@pytest.fixture
def air() -> Town:
    """A town with radios and a gateway."""
    return radio_town()


def receipts(said: list[do.Effect]) -> list[do.SendReceiptsToAir]:
    return only(said, do.SendReceiptsToAir)


def keep_alive(town: Town, seconds: int, *nodes: NodeId) -> list[do.Effect]:
    """Time goes by; these give signs of life, the others do not."""
    said: list[do.Effect] = []
    for _ in range(0, seconds, 10):
        for node in nodes:
            said += town.beat(node, "ready" if node == GATEWAY else "untested" if node == BAKERY else "")
        said += town.later(min(10, seconds))
    return said


# Receipts.


def test_receipt_goes_both_ways_where_the_alert_came_by_radio(air: Town) -> None:
    """N8: which of the two works is not known; over the air through the gateway."""
    said = air.hear(air.alert())

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(said, do.SendReceipt)
    assert [do.SendReceiptsToAir(GATEWAY, (Receipted(SEVEN),))] == receipts(said)


def test_receipt_of_an_alert_by_network_does_not_go_over_the_air(air: Town) -> None:
    assert [] == receipts(air.press(7))
    assert [] == receipts(air.press(7))


def test_receipt_over_the_air_comes_after_the_commit_and_before_pages_and_tools(air: Town) -> None:
    air.is_disk_slow = True
    assert [] == receipts(air.hear(air.alert()))

    said = air.commit()

    kinds = [type(order) for order in said]
    assert kinds.index(do.SendReceiptsToAir) < min(kinds.index(do.ReportFact), kinds.index(do.PublishIncident))


def test_receipt_of_a_late_alert_says_so_over_the_air(air: Town) -> None:
    """N13."""
    said = air.hear(air.alert(at_s=int(START.timestamp()) - 300))

    assert ((Receipted(SEVEN, late=True),),) == tuple(o.targets for o in receipts(said))


@pytest.mark.parametrize("state", ["listening", "fault"])
def test_gateway_that_may_not_transmit_is_passed_over_for_the_first_relay(air: Town, state: str) -> None:
    air.beat(GATEWAY, state)

    assert [BAKERY] == [o.node for o in receipts(air.hear(air.alert()))]


def test_gateway_that_is_silent_is_passed_over(air: Town) -> None:
    keep_alive(air, 40, BAKERY)
    assert "silent" == air.node_state(GATEWAY)

    assert [BAKERY] == [o.node for o in receipts(air.hear(air.alert()))]


def test_gateway_that_is_revoked_is_passed_over() -> None:
    town = Town(directory=make_directory(revoked=(GATEWAY,), has_gateway=True))
    town.beat(BAKERY, "ready")

    assert [BAKERY] == [o.node for o in receipts(town.hear(town.alert()))]


def test_town_without_a_gateway_answers_through_the_relay_that_was_first() -> None:
    town = radio_town(has_gateway=False)
    town.beat(ARCADE, "ready")
    town.is_disk_slow = True
    town.hear(town.alert(), ARCADE)
    town.hear(town.alert(), BAKERY)

    assert [ARCADE] == [o.node for o in receipts(town.commit())]


def test_nobody_who_may_transmit_means_a_receipt_by_network_alone() -> None:
    """N10: a node without a licence only listens, and is never asked."""
    town = radio_town(has_gateway=False)
    town.beat(BAKERY, "listening")

    said = town.hear(town.alert())

    assert [] == receipts(said)
    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(said, do.SendReceipt)


def test_repetition_is_answered_through_the_next_one_for_the_answer_was_not_heard(air: Town) -> None:
    """The sender says it again because the gateway's answer did not reach it: try who heard it best."""
    first = receipts(air.hear(air.alert()))
    air.later(5)
    alert = air.alert(at_s=int(START.timestamp()))
    second = receipts(air.hear(alert))
    air.later(10)
    third = receipts(air.hear(alert))

    assert [GATEWAY, BAKERY, GATEWAY] == [o.node for o in first + second + third]


def test_second_relay_of_the_same_over_is_not_answered_again(air: Town) -> None:
    alert = air.alert()

    assert [1, 0, 0] == [len(receipts(air.hear(alert, relay))) for relay in (BAKERY, ARCADE, CROWN)]


def test_receipts_of_the_last_seconds_travel_together_newest_first_as_far_as_they_fit(air: Town) -> None:
    """N9: in a storm every receipt is said several times, in no more overs; six of a town's ids fit a frame."""
    batches = []
    for i, node in enumerate([CORNER, ARCADE, CROWN] * 3):
        [order] = receipts(air.hear(air.alert(900 + i, node)))
        batches.append([entry.target for entry in order.targets])

    assert [1, 2, 3, 4, 5, 6, 6, 6, 6] == [len(batch) for batch in batches]
    assert batches[-1] == sorted(FrameId(node, 900 + i) for i, node in enumerate([CORNER, ARCADE, CROWN] * 3) if i > 2)


def test_receipt_older_than_ten_seconds_travels_no_more(air: Town) -> None:
    air.hear(air.alert(7))
    air.later(11)

    assert [1] == [len(o.targets) for o in receipts(air.hear(air.alert(1, ARCADE)))]


def test_replayed_frame_is_answered_ever_more_seldom(air: Town) -> None:
    """Somebody plays a recorded burst once a second for an hour: the gateway speaks a dozen times."""
    recorded = encode(air.alert(), KEYS[CORNER])
    said: list[do.SendReceiptsToAir] = []
    for _ in range(3_600):
        said += receipts(air.hear_bytes(recorded))
        air.now_at += timedelta(seconds=1)
        if not air.now_at.second % 10:
            air.beat(GATEWAY, "ready")
            air.later(0)

    assert 8 <= len(said) <= 14


def test_sender_that_repeats_itself_as_a_node_does_is_answered_nearly_each_time(air: Town) -> None:
    """Three reliable tries, then slow ones for ever: whoever really did not hear is never left alone."""
    recorded = encode(air.alert(), KEYS[CORNER])
    answered = []
    for wait_s in (0, 6, 12, 30, 60, 120, 300):
        keep_alive(air, wait_s, GATEWAY, BAKERY)
        answered.append(len(receipts(air.hear_bytes(recorded))))

    assert [1] * 7 == answered


def test_recording_of_a_hundred_frames_cannot_keep_the_gateway_talking(air: Town) -> None:
    """Replays of many different frames of many premises share one budget: twenty, and one more each three seconds."""
    recorded = []
    for counter in range(1, 101):
        node = (CORNER, ARCADE, CROWN, BAKERY)[counter % 4]
        alert = air.alert(counter, node)
        recorded.append(encode(alert, KEYS[node]))
        air.send(alert)
    keep_alive(air, 120, GATEWAY, BAKERY)
    spoken = sum(len(receipts(air.hear_bytes(data, GATEWAY))) for data in recorded[:50])
    assert 20 == spoken
    for i in range(60):
        keep_alive(air, 10, GATEWAY, BAKERY)
        spoken += sum(len(receipts(air.hear_bytes(data, GATEWAY))) for data in (recorded * 3)[i * 3 : i * 3 + 30])

    assert 100 < spoken <= 20 + 600 / 3


def test_stolen_node_that_signs_without_end_is_answered_eight_times_and_then_each_ten_seconds(air: Town) -> None:
    """Airtime is everybody's; a lone alert of a neighbour is answered all the same."""
    said = [receipts(air.hear(air.alert(counter, CROWN))) for counter in range(1, 41)]

    assert 8 == sum(map(len, said))
    assert 1 == len(receipts(air.hear(air.alert())))
    air.later(10)
    assert 1 == len(receipts(air.hear(air.alert(50, CROWN))))


def test_what_was_heard_is_bounded(air: Town) -> None:
    node_count = HEARINGS_MAX + 10
    for counter in range(1, node_count):
        air.core._air.take_heard(FrameId(CORNER, counter), BAKERY, is_path_test=False)

    assert not air.core._air.was_heard(FrameId(CORNER, 1))
    assert air.core._air.was_heard(FrameId(CORNER, node_count - 1))


def test_clock_that_is_set_back_a_year_does_not_end_the_answers(air: Town) -> None:
    air.hear(air.alert())
    air.later(2)
    air.now_at -= timedelta(days=365)
    air.later(3)
    air.beat(GATEWAY, "ready")

    assert 1 == len(receipts(air.hear(air.alert(at_s=int(START.timestamp())))))


def test_frame_that_the_disk_knew_already_is_answered_over_the_air(air: Town) -> None:
    """After a restart with less memory than the disk: the sender is on the air and has waited long enough."""
    air.is_disk_slow = True
    air.hear(air.alert())
    digest = air.waiting.pop().digest

    said = air.handle(ev.FramesKnown((SeenFrame(SEVEN, digest, is_late=False),)))

    assert [do.SendReceiptsToAir(GATEWAY, (Receipted(SEVEN),))] == receipts(said)


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
    assert [] == only(said, do.RepeatAcknowledgement)
    said = air.later(20)
    assert [do.RepeatAcknowledgement(GATEWAY, SEVEN)] == only(said, do.RepeatAcknowledgement)


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
    assert 1 == len(only(air.later(20), do.RepeatAcknowledgement))


def test_acknowledgement_of_a_presser_that_is_back_on_the_network_goes_there_alone(air: Town) -> None:
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))
    air.later(1)
    air.beat(CORNER)
    air.act(SetOnTheWay(INCIDENT))

    assert [GATEWAY, None] == acknowledgements(air.said)
    assert [] == only(air.later(20), do.RepeatAcknowledgement)


def test_acknowledgement_is_not_repeated_after_a_newer_one_that_went_by_network_alone(air: Town) -> None:
    """Cut off, back, cut off again within seconds: what is said twice is never what is no longer so."""
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))
    air.later(1)
    air.beat(CORNER)
    air.act(SetOnTheWay(INCIDENT))
    air.later(1)
    air.hear(air.alert(8, incident=7))

    assert [] == only(air.later(20), do.RepeatAcknowledgement)


def test_acknowledgement_of_an_alert_by_network_never_goes_over_the_air(air: Town) -> None:
    air.press(7)
    keep_alive(air, 40, GATEWAY)
    assert "silent" == air.node_state(CORNER)
    air.act(Acknowledge(INCIDENT))

    assert [None] == acknowledgements(air.said)


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
    assert "silent" == town.node_state(node)


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


@pytest.mark.parametrize("kind", [AlertKind.TEST, AlertKind.CALL_REQUEST, AlertKind.FAULT])
def test_what_concerns_central_alone_is_not_put_on_the_air(air: Town, kind: AlertKind) -> None:
    cut_off(air)

    assert [] == only(air.send(air.alert(kind=kind)), do.SendFrameToAir)


@pytest.mark.parametrize("more", [{"drill": True}, {"at_s": int(START.timestamp()) - 300}])
def test_drill_and_late_alert_are_not_put_on_the_air(air: Town, more: dict[str, object]) -> None:
    cut_off(air)

    assert [] == only(air.send(air.alert(**more)), do.SendFrameToAir)


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

    assert ("silent", "unknown", ("Bakery",)) == (
        town.node_state(ARCADE),
        town.line(ARCADE).radio.state,
        town.line(ARCADE).radio.heard_by,
    )
    assert 1 == len(only(town.send(town.alert()), do.SendFrameToAir))


def test_person_of_a_role_that_is_none_says_nothing_over_the_air(air: Town) -> None:
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT), Person("", "Nobody"))
    air.act(Acknowledge(INCIDENT), PATEL)

    assert 1 == len(acknowledgements(air.said))
