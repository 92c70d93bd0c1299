"""What central says goes to the right topic, signed, under a counter of its own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from central.core import effects as do
from central.core import events as ev
from central.net.announcer import ACKNOWLEDGEMENTS_MAX, Announcer
from tests.support.central_town import BAKERY, CORNER, CROWN, KEYS, START, Town, make_directory, only, opened
from wire.admission import admit, stands_for
from wire.frames import Acknowledgement, Receipt, ReceiptBatch, Receipted
from wire.ids import CENTRAL, FrameId
from wire.kinds import AlertKind, AnswerState, Role
from wire.messages import IncidentState, Sync, decode_message

TARGET = FrameId(CORNER, 7)


@dataclass
class FakeBroker:
    """Takes what is published."""

    taken: list[tuple[str, bytes, int]] = field(default_factory=list)
    signatures: list[str | None] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, signature: str | None = None) -> bool:
        """As the link's."""
        self.taken.append((topic, payload, qos))
        self.signatures.append(signature)
        return True


def make(broker: FakeBroker) -> Announcer:
    counters = itertools.count(501)
    return Announcer(broker.publish, KEYS[CENTRAL], lambda: next(counters), lambda: int(START.timestamp()))


def test_announcer_signs_receipts_that_nodes_admit() -> None:
    broker = FakeBroker()
    announcer = make(broker)

    announcer.send_receipt(do.SendReceipt(CORNER, TARGET, is_late=True))
    announcer.send_receipt(do.SendReceipt(CORNER, TARGET, is_late=False))

    directory = opened(make_directory())
    frames = [admit(payload, directory, None).frame for _, payload, _ in broker.taken]
    at_s = int(START.timestamp())
    assert [Receipt(CENTRAL, 501, at_s, TARGET, late=True), Receipt(CENTRAL, 502, at_s, TARGET)] == frames
    assert [("watchlink/1/node/00000010/down/receipt", 0)] * 2 == [(topic, qos) for topic, _, qos in broker.taken]


def test_announcer_signs_acknowledgements_by_qos_1() -> None:
    broker = FakeBroker()
    order = do.SendAcknowledgement(CORNER, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel")

    make(broker).send_acknowledgement(order)

    [(topic, payload, qos)] = broker.taken
    frame = admit(payload, opened(make_directory()), None).frame
    assert ("watchlink/1/node/00000010/down/ack", 1) == (topic, qos)
    assert (
        Acknowledgement(CENTRAL, 501, int(START.timestamp()), TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel")
        == frame
    )


def test_announcer_says_an_acknowledgement_on_both_ways_and_again_in_the_same_bytes() -> None:
    """N8: one frame, one id, however often and by whatever path it is heard."""
    broker = FakeBroker()
    announcer = make(broker)
    order = do.SendAcknowledgement(CORNER, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel", BAKERY)

    announcer.send_acknowledgement(order)
    announcer.say_acknowledgement(do.SayAcknowledgement(CROWN, TARGET))
    announcer.say_acknowledgement(do.SayAcknowledgement(CROWN, FrameId(CORNER, 8)))

    assert [
        ("watchlink/1/node/00000010/down/ack", 1),
        ("watchlink/1/node/00000011/down/air", 0),
        ("watchlink/1/node/00000012/down/air", 0),
    ] == [(topic, qos) for topic, _, qos in broker.taken]
    assert 1 == len({payload for _, payload, _ in broker.taken})


def test_announcer_says_by_radio_what_went_by_network_alone_before() -> None:
    """Central may find out later that the network was gone."""
    broker = FakeBroker()
    announcer = make(broker)

    announcer.send_acknowledgement(do.SendAcknowledgement(CORNER, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel"))
    announcer.say_acknowledgement(do.SayAcknowledgement(CROWN, TARGET))

    assert ["watchlink/1/node/00000010/down/ack", "watchlink/1/node/00000012/down/air"] == [
        topic for topic, _, _ in broker.taken
    ]
    assert 1 == len({payload for _, payload, _ in broker.taken})


def test_announcer_says_no_older_acknowledgement_in_place_of_one_that_it_cannot_number() -> None:
    """COMING would be heard although central has closed it."""
    broker = FakeBroker()
    announcer = make(broker)
    announcer.send_acknowledgement(do.SendAcknowledgement(CORNER, TARGET, Role.PCSO, AnswerState.ON_THE_WAY, "J Patel"))
    broker.taken.clear()
    announcer._next_counter = out_of_numbers
    with pytest.raises(OSError, match="full"):
        announcer.send_acknowledgement(do.SendAcknowledgement(CORNER, TARGET, Role.PCSO, AnswerState.CLOSED, "J Patel"))
    announcer.say_acknowledgement(do.SayAcknowledgement(CROWN, TARGET))

    assert [] == broker.taken


def out_of_numbers() -> int:
    raise OSError("the disk is full")


def test_announcer_keeps_no_more_acknowledgements_than_it_may_have_to_repeat() -> None:
    broker = FakeBroker()
    announcer = make(broker)
    for counter in range(1, ACKNOWLEDGEMENTS_MAX + 2):
        target = FrameId(CORNER, counter)
        announcer.send_acknowledgement(
            do.SendAcknowledgement(CORNER, target, Role.PCSO, AnswerState.ANSWERED, "J Patel", BAKERY)
        )
    broker.taken.clear()

    announcer.say_acknowledgement(do.SayAcknowledgement(BAKERY, FrameId(CORNER, 1)))
    assert [] == broker.taken
    announcer.say_acknowledgement(do.SayAcknowledgement(BAKERY, FrameId(CORNER, 2)))
    assert 1 == len(broker.taken)


def test_announcer_puts_one_receipt_or_a_batch_on_the_air() -> None:
    """N9: each signature is half a second of airtime."""
    broker = FakeBroker()
    announcer = make(broker)
    one, other = Receipted(TARGET, late=True), Receipted(FrameId(BAKERY, 3))

    announcer.send_receipts_to_air(do.SendReceiptsToAir(BAKERY, (one,)))
    announcer.send_receipts_to_air(do.SendReceiptsToAir(BAKERY, (one, other)))

    directory, at_s = opened(make_directory()), int(START.timestamp())
    frames = [admit(payload, directory, None).frame for _, payload, _ in broker.taken]
    assert [Receipt(CENTRAL, 501, at_s, TARGET, late=True), ReceiptBatch(CENTRAL, 502, at_s, (one, other))] == frames
    assert [("watchlink/1/node/00000011/down/air", 0)] * 2 == [(topic, qos) for topic, _, qos in broker.taken]


def test_announcer_passes_a_members_frame_on_as_it_came() -> None:
    broker = FakeBroker()
    make(broker).send_frame_to_air(do.SendFrameToAir(BAKERY, b"as it came"))

    assert [("watchlink/1/node/00000011/down/air", b"as it came", 0)] == broker.taken


def test_announcer_publishes_incidents_that_every_receiver_accepts(town_of_one_press: Town) -> None:
    """It encodes without reading back, so the rules must never build what a receiver refuses."""
    broker = FakeBroker()
    [order] = only(town_of_one_press.said, do.PublishIncident)

    make(broker).publish_incident(order)

    [(topic, payload, qos)] = broker.taken
    assert ("watchlink/1/scheme/hart/incident", 1) == (topic, qos)
    assert order.state == decode_message(payload, IncidentState)


@pytest.mark.finding(1)
def test_announcer_signs_what_it_says_in_json_on_the_topic_it_says_it_on() -> None:
    """Without, whoever holds central's certificate could say it (the broker does)."""
    broker = FakeBroker()
    announcer = make(broker)
    town = Town()
    town.press(7, AlertKind.ATTACK)
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce="5" * 32), is_signed=True))

    announcer.publish_incident(only(town.said, do.PublishIncident)[-1])
    announcer.publish_status(only(town.said, do.PublishStatus)[-1])
    announcer.send_sync_answer(only(town.said, do.SendSyncAnswer)[-1])

    central = opened(make_directory()).senders[CENTRAL]
    for (topic, payload, _), signature in zip(broker.taken, broker.signatures, strict=True):
        assert stands_for(central, topic, payload, signature)


@pytest.mark.finding(1)
def test_sync_answer_bears_the_nonce_the_clock_and_numbers_that_rise() -> None:
    town = Town()
    town.press(7, AlertKind.ATTACK)
    said = town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce="5" * 32), is_signed=True))
    answer = only(said, do.SendSyncAnswer)[0].answer
    town.later(2)
    said = town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce="6" * 32), is_signed=True))
    again = only(said, do.SendSyncAnswer)[0].answer

    assert ("5" * 32, "6" * 32) == (answer.nonce, again.nonce)
    assert answer.at is not None
    assert 0 == answer.at.microsecond % 1_000
    assert 0 < answer.sequence < again.sequence
    assert answer.incidents[0].revision == answer.revision
