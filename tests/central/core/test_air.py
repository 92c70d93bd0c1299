"""What central says over the air: through whom, how often, and never for ever (N8, N9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.air import HEARINGS_MAX
from central.core.journal import SeenFrame
from tests.support.central_town import (
    ARCADE,
    BAKERY,
    CORNER,
    CROWN,
    GATEWAY,
    KEYS,
    START,
    RadioState,
    Town,
    frame_entry,
    keep_alive,
    make_directory,
    only,
    radio_town,
)
from wire.frames import PathTest, Receipted, encode
from wire.ids import FrameId
from wire.kinds import Path

SEVEN = FrameId(CORNER, 7)
INCIDENT = "00000010-7"


def receipts(said: list[do.Effect]) -> list[do.SendReceiptsToAir]:
    return only(said, do.SendReceiptsToAir)


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
def test_gateway_that_may_not_transmit_is_passed_over_for_the_first_relay(air: Town, state: RadioState) -> None:
    air.beat(GATEWAY, state)

    assert [BAKERY] == [o.node for o in receipts(air.hear(air.alert()))]


def test_gateway_that_is_silent_is_passed_over(air: Town) -> None:
    keep_alive(air, 40, BAKERY)
    assert "no-contact" == air.node_state(GATEWAY)

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


def test_gateways_own_test_is_answered_by_whoever_heard_it(air: Town) -> None:
    """N11: nobody hears itself."""
    said = air.hear(PathTest(GATEWAY, 3, int(START.timestamp()), Path.RADIO), BAKERY)

    assert [do.SendReceiptsToAir(BAKERY, (Receipted(FrameId(GATEWAY, 3)),))] == receipts(said)


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


@pytest.mark.finding(8)
def test_receipt_that_was_said_least_travels_first_with_others_for_a_minute(air: Town) -> None:
    """In a storm the presser may be transmitting when its receipt is said: it is said again in others' answers."""
    air.hear(air.alert(7, CORNER))
    times = []
    for counter in range(8, 30):
        keep_alive(air, 2, GATEWAY, BAKERY)
        node = (ARCADE, CROWN)[counter % 2]
        for order in receipts(air.hear(air.alert(counter, node))):
            times += [2 * (counter - 7)] * (Receipted(SEVEN) in order.targets)

    assert [] != [seconds for seconds in times if seconds > 30]


@pytest.mark.finding(8)
def test_repetition_that_is_not_answered_by_itself_is_answered_with_the_next(air: Town) -> None:
    recorded = encode(air.alert(), KEYS[CORNER])
    for _ in range(4):
        air.hear_bytes(recorded)
        keep_alive(air, 16, GATEWAY, BAKERY)
    air.hear_bytes(recorded)
    keep_alive(air, 20, GATEWAY, BAKERY)
    assert [] == receipts(air.hear_bytes(recorded)), "too soon: the gap has doubled four times"
    [order] = receipts(air.hear(air.alert(1, ARCADE)))

    assert Receipted(SEVEN) in order.targets


@pytest.mark.finding(8)
def test_one_sender_has_at_most_four_places_in_what_travels_along(air: Town) -> None:
    air.hear(air.alert(7, CORNER))
    for counter in range(1, 40):
        air.hear(air.alert(counter, CROWN))
    [order] = receipts(air.hear(air.alert(1, ARCADE)))

    assert Receipted(SEVEN) in order.targets


def test_receipt_that_nobody_asked_for_in_a_minute_travels_no_more(air: Town) -> None:
    air.hear(air.alert(7))
    keep_alive(air, 61, GATEWAY, BAKERY)

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
    digest = frame_entry(air.waiting.pop()).digest

    said = air.handle(ev.FramesKnown((SeenFrame(SEVEN, digest, is_late=False),)))

    assert [do.SendReceiptsToAir(GATEWAY, (Receipted(SEVEN),))] == receipts(said)
