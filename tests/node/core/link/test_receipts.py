"""A receipt is for the bytes it names; what central refuses for good is pressed anew (N2, N3, N8)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import ForgetFrame, MarkReceipted, PublishFrame, StoreFrame
from node.core.events import FrameReceived
from node.core.link.supervision import health
from tests.support.members import BOOTS, NOON_S, OURS, directory, sender, signed
from tests.support.node_world import StateWord, World
from wire.answers import (
    BATCH_DIGEST_BYTES,
    DigestReceipt,
    DigestReceiptBatch,
    DigestReceipted,
    Receipt,
    Refusal,
    frame_digest,
)
from wire.frames import Alert, Cancel, Frame, Response
from wire.ids import CENTRAL, FrameId
from wire.kinds import AlertKind, AnswerState, Path, RefusalReason

pytestmark = pytest.mark.finding(3)
OTHER = bytes(8)


def came(frame: Frame, path: Path = Path.NETWORK) -> FrameReceived:
    return FrameReceived(signed(frame).data, None, path)


def receipt(world: World, counter: int, digest: bytes | None = None) -> FrameReceived:
    """Central's, for these bytes, or for those on the node's disk."""
    digest = frame_digest(world.stored[counter][0].data) if digest is None else digest
    return came(DigestReceipt(CENTRAL, world._central(), NOON_S, FrameId(OURS, counter), digest))


def refusal(
    world: World,
    counter: int,
    reason: RefusalReason = RefusalReason.ID_CONFLICT,
    digest: bytes | None = None,
) -> FrameReceived:
    digest = frame_digest(world.stored[counter][0].data) if digest is None else digest
    return came(Refusal(CENTRAL, world._central(), NOON_S, FrameId(OURS, counter), reason, digest))


@pytest.fixture
def signing() -> World:
    """A node whose directory says that central is of the version that names bytes."""
    made = World()
    made.start(known=directory(2, central=replace(sender(CENTRAL, "Central", ""), signs=True)))
    made.online()
    return made


def test_receipt_for_these_bytes_is_received(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(receipt(world, 1))

    assert "received" == world.face
    assert {1} == world.receipted


def test_receipt_for_other_bytes_of_that_number_changes_nothing(world: World) -> None:
    """The card was put back: central has another press of this number."""
    world.hold(Button.ATTACK)
    world.do(receipt(world, 1, OTHER))

    assert "sending" == world.face
    assert set() == world.receipted
    assert 1 == world.state.rejected["receipt digest"]
    assert 1 in world.state.outbox.rows


def test_batch_names_bytes_too(world: World) -> None:
    world.hold(Button.ATTACK)
    good = frame_digest(world.stored[1][0].data)[:BATCH_DIGEST_BYTES]
    for digest, face in ((bytes(BATCH_DIGEST_BYTES), "sending"), (good, "received")):
        targets = (DigestReceipted(FrameId(OURS, 1), digest),)
        world.do(came(DigestReceiptBatch(CENTRAL, world._central(), NOON_S, targets)))
        assert face == world.face


def test_receipt_of_the_old_kind_is_not_believed_from_a_central_of_the_new(signing: World) -> None:
    """A broker may have kept it from before the card was put back."""
    signing.hold(Button.ATTACK)
    signing.do(came(Receipt(CENTRAL, signing._central(), NOON_S, FrameId(OURS, 1))))
    assert "sending" == signing.face
    assert 1 == signing.state.rejected["receipt without digest"]

    signing.do(receipt(signing, 1))
    assert "received" == signing.face


@pytest.mark.parametrize("state", ["unanswered", "answered", "on-the-way", "closed"])
def test_centrals_state_alone_proves_no_receipt(world: World, state: StateWord) -> None:
    world.hold(Button.ATTACK)
    world.do(world.says(OURS, 1, state, answer=world.answer()))
    assert "sending" == world.face

    world.do(receipt(world, 1))
    faces = {"unanswered": "received", "answered": "answered", "on-the-way": "on-the-way", "closed": "closed"}
    assert faces[state] == world.face


def test_health_says_what_is_understood(world: World) -> None:
    said = health(world.state, world.now_ms)

    assert {"digest-receipt", "refusal"} <= set(said.speaks)


def test_refused_press_is_stored_anew_as_old_as_it_is(world: World) -> None:
    world.hold(Button.ATTACK)
    old = world.stored[1][0].frame
    said = world.after(5_000, refusal(world, 1))

    orders = world.of(StoreFrame, said)
    new = world.stored[2][0].frame
    assert isinstance(old, Alert)
    assert isinstance(new, Alert)
    assert [(old.at_s, 1)] == [(order.at_s, order.replaces) for order in orders]
    assert Alert(OURS, 2, old.at_s, old.kind, 2, old.schemes) == new
    assert [2] == [counter for counter, _ in world.state.outbox.rows.oldest()]
    assert [2] == [order.signed.frame.counter for order in world.of(PublishFrame, said)][-1:]
    assert "undelivered" == world.face
    world.do(receipt(world, 2))
    assert "received" == world.face
    assert "00000010-2" == world.screen.concerns
    assert [2] == [row[0] for row in world.state.outbox.rows.oldest()] or not world.state.outbox.rows


def test_what_central_has_under_the_refused_number_is_not_told_for_the_press(world: World) -> None:
    """The other press of that number, which a restored card has forgotten, is received: this one is not yet (N3)."""
    world.hold(Button.ASSIST)
    world.after(5_000, refusal(world, 1))
    assert "undelivered" == world.face

    world.do(world.says(OURS, 1, "unanswered", kind="attack"))
    assert "undelivered" == world.face

    world.do(receipt(world, 2))
    assert "received" == world.face
    assert "00000010-2" == world.screen.concerns


def test_refusal_of_other_bytes_changes_nothing(world: World) -> None:
    world.hold(Button.ATTACK)

    assert [] == world.of(StoreFrame, world.do(refusal(world, 1, digest=OTHER)))


def test_refused_again_before_the_disk_has_it_is_stored_once(world: World) -> None:
    world.hold(Button.ATTACK)
    world.disk_full = True
    first = world.do(refusal(world, 1))
    again = world.do(refusal(world, 1))
    assert (1, 0) == (len(world.of(StoreFrame, first)), len(world.of(StoreFrame, again)))
    assert 1 in world.state.outbox.rows

    world.disk_full = False
    world.after(world.settings.timing.part_retry_ms + 1)
    assert [2] == [counter for counter, _ in world.state.outbox.rows.oldest()]


def test_refused_press_of_a_disk_that_hangs_is_refused_again_after_a_restart(world: World) -> None:
    """Its row stays until the new one is there."""
    world.hold(Button.ATTACK)
    world.disk_hangs = True
    world.do(refusal(world, 1))
    world.disk_hangs = False
    world.restart()
    world.online()

    world.do(refusal(world, 1))
    assert [2] == [counter for counter, _ in world.state.outbox.rows.oldest()]


def test_upgrade_of_a_refused_press_keeps_its_bytes_and_counts_for_the_new_incident(world: World) -> None:
    world.tap(Button.ASSIST)
    world.hold(Button.ATTACK)
    world.do(refusal(world, 1))
    assert [2, 3] == [counter for counter, _ in world.state.outbox.rows.oldest()]

    world.do(receipt(world, 2), receipt(world, 3))
    assert "received" == world.face
    assert 1 == len(world.state.recent)


def test_refused_upgrade_is_stored_anew_in_its_incident(world: World) -> None:
    world.tap(Button.ASSIST)
    world.hold(Button.ATTACK)
    world.do(receipt(world, 1), refusal(world, 2))
    new = world.stored[3][0].frame
    assert isinstance(new, Alert)
    assert (AlertKind.ATTACK, 1) == (new.kind, new.incident)
    assert "received" != world.face

    world.do(receipt(world, 3))
    assert "received" == world.face


def test_answer_to_the_other_press_is_not_told_of_the_new_one(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.says(OURS, 1, "on-the-way", answer=world.answer()), world.ack(1, AnswerState.ON_THE_WAY))
    world.do(refusal(world, 1))
    world.do(receipt(world, 2))

    assert "received" == world.face


def test_cancel_of_a_refused_press_is_stored_for_the_new_one(world: World) -> None:
    world.hold(Button.ATTACK)
    world.hold(Button.CANCEL)
    assert isinstance(world.stored[2][0].frame, Cancel)

    world.do(refusal(world, 1))
    cancels = [frame.frame for frame, _ in world.stored.values() if isinstance(frame.frame, Cancel)]
    assert [1, 3] == [cancel.incident for cancel in cancels]


def test_refused_answer_to_a_neighbour_is_stored_anew_or_given_up(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    world.tap(Button.SEEN)
    said = world.do(refusal(world, 1))
    new = world.stored[2][0].frame
    assert isinstance(new, Response)
    assert FrameId(BOOTS, 5) == new.target

    said = world.do(refusal(world, 2, RefusalReason.FOREIGN_INCIDENT))
    assert [ForgetFrame(FrameId(OURS, 2))] == world.of(ForgetFrame, said)
    assert not world.state.outbox.rows
    assert [] == world.of(MarkReceipted, said)


def test_press_that_cannot_be_answered_is_never_given_up(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(refusal(world, 1, RefusalReason.FOREIGN_INCIDENT))

    assert 1 in world.state.outbox.rows


def test_refused_cancel_is_stored_anew_and_says_why_as_before(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(receipt(world, 1))
    world.hold(Button.CANCEL)
    world.do(refusal(world, 2))
    first, again = world.stored[2][0].frame, world.stored[3][0].frame

    assert isinstance(first, Cancel)
    assert isinstance(again, Cancel)
    assert (first.incident, first.reason) == (again.incident, again.reason)


@pytest.mark.parametrize("said", ["answered", "on-the-way"])
def test_answer_of_a_central_that_knows_only_the_assist_is_not_told_of_the_attack(
    world: World, said: StateWord
) -> None:
    """N3: whoever it was does not know yet how bad it is."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.hold(Button.ATTACK)
    world.do(world.says(OURS, 1, said, kind="assist", answer=world.answer()))
    world.do(world.receipt(2))

    assert ("received", "No one answered yet") == (world.face, world.screen.lines[1])
