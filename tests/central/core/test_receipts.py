"""A receipt names the bytes on disk; what can never be committed is refused (N2, N8)."""

from __future__ import annotations

import hashlib

import pytest
from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.journal import KeptNode, Recall, SeenFrame
from central.core.said import acknowledgement, receipt, receipts_on_air, refusal
from central.core.unit_lines import UnitFacts
from central.core.view import Acknowledge, Close, SetOnTheWay
from tests.support.central_town import (
    BAKERY,
    CORNER,
    CROWN,
    GATEWAY,
    JONES,
    KEYS,
    PATEL,
    START,
    RadioState,
    Town,
    make_directory,
    only,
    radio_town,
)
from wire.answers import frame_digest
from wire.frames import Acknowledgement, DigestReceipt, DigestReceiptBatch, Frame, PressAcknowledgement, Receipt, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, MemberResponse, Priority, RefusalReason
from wire.messages import Health, RadioReport

pytestmark = pytest.mark.finding(3)
BOTH = ("digest-receipt", "refusal")
SEVEN = FrameId(CORNER, 7)


def speak(
    town: Town, *nodes: NodeId, speaks: tuple[str, ...] = BOTH, radio: RadioState = "", is_signed: bool = True
) -> None:
    """These say in a health of theirs what they understand."""
    about = RadioReport(state=radio) if radio else None
    for node in nodes:
        health = Health(state="armed", boot_id="n1", radio=about, speaks=speaks)
        town.handle(ev.HealthArrived(node, health, is_signed))


def digest_of(frame: Frame) -> bytes:
    return frame_digest(encode(frame, KEYS[frame.sender]))


def test_receipt_names_the_bytes_to_a_node_that_understands_it(town: Town) -> None:
    speak(town, CORNER)
    alert = town.alert()

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False, digest=digest_of(alert))] == only(
        town.send(alert), do.SendReceipt
    )
    assert [do.SendReceipt(CORNER, SEVEN, is_late=False, digest=digest_of(alert))] == only(
        town.send(alert), do.SendReceipt
    )


@pytest.mark.parametrize(("speaks", "is_signed"), [((), True), (("refusal",), True), (BOTH, False)])
def test_receipt_is_of_the_old_kind_where_no_signed_health_asks_for_another(
    town: Town, speaks: tuple[str, ...], *, is_signed: bool
) -> None:
    speak(town, CORNER, speaks=speaks, is_signed=is_signed)

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(town.press(7), do.SendReceipt)


def test_what_a_node_understands_is_kept_over_a_restart(town: Town) -> None:
    speak(town, CORNER)
    kept = [node for order in only(town.later(301), do.KeepNodes) for node in order.nodes]
    again = Town(Recall(nodes=tuple(kept)))

    assert [KeptNode(CORNER, START, "n1", BOTH, UnitFacts())] == [replace(node, last_seen_at=START) for node in kept]
    assert [len(frame_digest(b""))] == [len(order.digest) for order in only(again.press(7), do.SendReceipt)]


def test_other_bytes_under_a_number_are_refused_and_the_first_keep_their_receipt(town: Town) -> None:
    speak(town, CORNER)
    first, second = town.alert(), town.alert(kind=AlertKind.ASSIST)
    town.send(first)

    said = town.send(second)
    refused = do.SendRefusal(CORNER, SEVEN, RefusalReason.ID_CONFLICT, digest_of(second))
    assert ([refused], []) == (only(said, do.SendRefusal), only(said, do.SendReceipt))
    assert digest_of(first) == only(town.send(first), do.SendReceipt)[0].digest
    assert 1 == town.rejected()["id conflict", "00000010"]


def test_other_press_under_a_number_that_is_taken_is_not_left_without_an_answer(town: Town) -> None:
    """Else its unit sends it for ever, and nobody comes."""
    speak(town, CORNER)
    town.send(town.alert())

    said = town.send(town.alert(kind=AlertKind.ASSIST))
    assert 1 == len([*only(said, do.SendReceipt), *only(said, do.SendRefusal)])


def test_nothing_is_refused_to_a_node_that_would_not_understand_it(town: Town) -> None:
    town.send(town.alert())

    assert [] == only(town.send(town.alert(kind=AlertKind.ASSIST)), do.SendRefusal)


def test_nothing_is_refused_that_its_sender_did_not_sign(town: Town) -> None:
    """Else anybody could make a node give up a press under its number."""
    speak(town, CORNER)
    town.send(town.alert())

    assert [] == only(town.send(town.alert(kind=AlertKind.ASSIST), key=KEYS[BAKERY]), do.SendRefusal)


def test_other_bytes_are_not_refused_while_the_first_are_on_their_way_to_disk(town: Town) -> None:
    speak(town, CORNER)
    town.is_disk_slow = True
    town.send(town.alert())

    assert [] == only(town.send(town.alert(kind=AlertKind.ASSIST)), do.SendRefusal)


def test_bytes_that_only_the_disk_remembers_are_refused_too(town: Town) -> None:
    speak(town, CORNER)
    town.is_disk_slow = True
    alert = town.alert()
    town.send(alert)
    town.waiting = []
    other = SeenFrame(SEVEN, hashlib.sha256(b"another").digest(), is_late=False)

    said = town.handle(ev.FramesKnown((other,)))
    assert [do.SendRefusal(CORNER, SEVEN, RefusalReason.ID_CONFLICT, digest_of(alert))] == only(said, do.SendRefusal)


def test_answer_to_a_foreign_incident_is_refused_as_such(town: Town) -> None:
    speak(town, CROWN)
    town.press(7)

    said = only(town.respond(CROWN, 1, SEVEN, MemberResponse.SEEN), do.SendRefusal)
    assert [RefusalReason.FOREIGN_INCIDENT] == [order.reason for order in said]


def test_answer_of_a_person_goes_with_the_receipt(town: Town) -> None:
    """It proves none, and the one that was sent may be lost."""
    speak(town, CORNER)
    alert = town.alert()
    town.send(alert)
    said = len(town.said)
    town.act(Acknowledge("00000010-7"))

    order = [type(o) for o in town.said[said:] if isinstance(o, do.SendAcknowledgement | do.SendReceipt)]
    assert [do.SendAcknowledgement, do.SendReceipt] == order


def test_receipts_on_the_air_name_bytes_through_a_voice_that_knows_them() -> None:
    town = radio_town()
    speak(town, CORNER, CROWN)
    speak(town, GATEWAY, radio="ready")
    first, second = town.alert(), town.alert(3, CROWN)
    one = only(town.hear(first), do.SendReceiptsToAir)[0]
    two = only(town.hear(second), do.SendReceiptsToAir)[0]

    assert (GATEWAY, DigestReceipt(CENTRAL, 1, 0, SEVEN, digest_of(first))) == (one.node, receipts_on_air(one, 1, 0))
    batch = receipts_on_air(two, 2, 0)
    assert isinstance(batch, DigestReceiptBatch)
    assert [digest_of(first)[:4], digest_of(second)[:4]] == [entry.digest for entry in batch.targets]
    encode(batch, KEYS[CENTRAL])


def test_receipts_on_the_air_are_of_the_old_kind_through_an_old_voice() -> None:
    town = radio_town()
    speak(town, CORNER)

    order = only(town.hear(town.alert()), do.SendReceiptsToAir)[0]
    assert isinstance(receipts_on_air(order, 1, 0), Receipt)


def test_refusal_goes_over_the_air_where_the_frame_came_from() -> None:
    town = radio_town()
    speak(town, CORNER)
    speak(town, GATEWAY, radio="ready")
    town.hear(town.alert())

    order = only(town.hear(town.alert(kind=AlertKind.ASSIST)), do.SendRefusal)[0]
    assert GATEWAY == order.air
    encode(refusal(order, 5, 0), KEYS[CENTRAL])


def test_orders_become_frames_of_their_kind() -> None:
    order = do.SendReceipt(CORNER, SEVEN, is_late=True)

    assert Receipt(CENTRAL, 1, 2, SEVEN, late=True) == receipt(order, 1, 2)
    named = replace(order, digest=bytes(8))
    assert DigestReceipt(CENTRAL, 1, 2, SEVEN, bytes(8), late=True) == receipt(named, 1, 2)


def test_node_that_signs_understands_before_its_first_health_has_come() -> None:
    """Its health may be lost while central starts, and it believes no receipt of the old kind from one that signs."""
    town = Town(directory=make_directory(signs=True))
    alert = town.alert()

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False, digest=digest_of(alert))] == only(
        town.send(alert), do.SendReceipt
    )
    speak(town, CORNER, speaks=())
    assert [do.SendReceipt(CORNER, SEVEN, is_late=False, digest=digest_of(alert))] == only(
        town.send(alert), do.SendReceipt
    )


@pytest.mark.finding(6)
def test_answer_names_the_press_that_was_on_screen_to_a_node_that_understands_it(town: Town) -> None:
    speak(town, CORNER, speaks=("press",))
    town.press(7, AlertKind.ASSIST)
    town.act(Acknowledge(SEVEN.text), PATEL)
    town.press(8, AlertKind.ATTACK, incident=7)
    town.act(SetOnTheWay(SEVEN.text, who=PATEL), JONES)
    town.act(Close(SEVEN.text, "left"), JONES)

    said = only(town.said, do.SendAcknowledgement)
    assert [
        (AnswerState.ANSWERED, 0, Priority.P2),
        (AnswerState.UNANSWERED, 1, Priority.P1),
        (AnswerState.ON_THE_WAY, 1, Priority.P1),
        (AnswerState.CLOSED, 1, Priority.P1),
    ] == [(order.state, order.press, order.urgency) for order in said]
    frame = acknowledgement(said[-1], 1, 0)
    assert isinstance(frame, PressAcknowledgement)
    assert (SEVEN, 1, Priority.P1) == (frame.target, frame.press, frame.urgency)


@pytest.mark.finding(6)
def test_answer_to_a_test_by_a_person_says_the_least_urgency_that_a_frame_can(town: Town) -> None:
    speak(town, CORNER, speaks=("press",))
    town.press(7, AlertKind.TEST)
    town.act(Acknowledge(SEVEN.text), PATEL)

    frames = [acknowledgement(order, 1, 0) for order in only(town.said, do.SendAcknowledgement) if order.role]
    assert [Priority.P4] == [frame.urgency for frame in frames if isinstance(frame, PressAcknowledgement)]


@pytest.mark.finding(6)
@pytest.mark.parametrize(("counter", "press"), [(262, 255), (263, None)])
def test_answer_names_only_the_incident_of_a_press_far_above_it(town: Town, counter: int, press: int | None) -> None:
    speak(town, CORNER, speaks=("press",))
    town.press(7, AlertKind.ASSIST)
    town.press(counter, AlertKind.ATTACK, incident=7)
    town.act(Acknowledge(SEVEN.text), PATEL)

    assert [press] == [order.press for order in only(town.said, do.SendAcknowledgement)]


@pytest.mark.finding(6)
@pytest.mark.parametrize(
    ("presser", "gateway"), [((), ("press",)), (("press",), ())], ids=["its presser", "who says it"]
)
def test_answer_names_its_incident_where_one_of_them_knows_no_other(
    presser: tuple[str, ...], gateway: tuple[str, ...]
) -> None:
    town = radio_town()
    speak(town, CORNER, speaks=presser)
    speak(town, GATEWAY, speaks=gateway, radio="ready")
    town.later(1)
    town.hear(town.alert(7))
    town.act(Acknowledge(SEVEN.text), PATEL)

    (said,) = only(town.said, do.SendAcknowledgement)
    assert (GATEWAY, None) == (said.air, said.press)
    assert Acknowledgement is type(acknowledgement(said, 1, 0))


@pytest.mark.finding(6)
@pytest.mark.parametrize(("presser", "again"), [(("press",), []), ((), [BAKERY])], ids=["newer", "older"])
def test_answer_is_said_again_only_by_who_knows_such_a_frame(presser: tuple[str, ...], again: list[NodeId]) -> None:
    """The gateway that said it first has failed; the other shop with a radio is of an older version."""
    town = radio_town()
    speak(town, CORNER, speaks=presser)
    speak(town, GATEWAY, speaks=("press",), radio="ready")
    speak(town, BAKERY, speaks=(), radio="untested")
    town.later(1)
    alert = town.alert(7)
    town.hear(alert, BAKERY)
    town.hear(alert, GATEWAY)
    town.act(Acknowledge(SEVEN.text), PATEL)
    assert [GATEWAY] == [order.air for order in only(town.said, do.SendAcknowledgement)]
    town.later(2)
    speak(town, GATEWAY, speaks=("press",), radio="fault")

    assert again == [order.node for order in only(town.later(12), do.SayAcknowledgement)]
