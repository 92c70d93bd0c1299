"""Central restored from an older copy: what it had receipted is sent again, and told as it is (N2, N3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import PublishFrame, PublishSync, ReopenFrames
from node.core.events import (
    FrameReceived,
    FramesReopened,
    LinkDown,
    LinkUp,
    ListingRefused,
    StoredFrame,
    StoreRefused,
)
from node.core.listing import parts_of
from tests.support.members import NOON, NOON_S, OURS, directory, sender
from tests.support.node_world import World
from tests.support.radio_set import LICENSED
from wire.answers import DigestReceipt, Refusal, frame_digest
from wire.ids import CENTRAL, FrameId
from wire.kinds import AnswerState, Path, RefusalReason
from wire.messages import RECEIPTED_MAX, Sync, SyncAnswer

pytestmark = pytest.mark.finding(4)


def answer(boot: str, missing: tuple[int, ...] = ()) -> SyncAnswer:
    return SyncAnswer(boot_id=boot, counter_floor=0, missing=missing)


def reopened(world: World, counter: int) -> FramesReopened:
    signed, at_ms = world.stored[counter]
    return FramesReopened((StoredFrame(signed, at_ms, is_receipted=False),))


@pytest.fixture
def signing() -> World:
    """A node whose directory says that central signs."""
    made = World()
    made.start(known=directory(2, central=replace(sender(CENTRAL, "Central", ""), signs=True)))
    made.do(LinkUp())
    return made


@pytest.fixture
def received(world: World) -> World:
    """An attack that central has receipted and answered."""
    world.do(world.answers(answer("central-1")))
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.ack(1))
    assert "answered" == world.face
    return world


def restored(world: World, boot: str = "central-2") -> list[Any]:
    """The new run answers that it lacks the attack."""
    world.do(LinkUp())
    return world.do(world.answers(answer(boot, (1,))))


def test_what_central_forgot_is_no_longer_received_and_is_sent_again(received: World) -> None:
    said = restored(received)
    assert [ReopenFrames((1,))] == received.of(ReopenFrames, said)
    assert received.face not in ("received", "answered", "ready")
    assert 1 == len(received.facts("forgotten"))

    said = received.do(reopened(received, 1))
    assert [received.stored[1][0]] == [order.signed for order in received.of(PublishFrame, said)]
    assert [1] == [frame.counter for frame in received.of(PublishSync, said)[0].sync.pending]
    received.do(received.receipt(1))
    assert "received" == received.face
    received.do(received.ack(1, AnswerState.ON_THE_WAY))
    assert "on-the-way" == received.face


def test_what_central_forgot_is_undelivered_until_it_has_it(received: World) -> None:
    restored(received)
    received.do(reopened(received, 1))
    received.after(3_000)

    assert "undelivered" == received.face


def test_screen_falls_back_though_the_disk_refuses(received: World) -> None:
    """Nothing comes back from the disk, and nothing is told as received."""
    restored(received)
    received.after(1_000)

    assert received.face not in ("received", "answered", "ready")


def test_what_the_disk_does_not_give_back_is_undelivered_however_often_central_names_it(received: World) -> None:
    restored(received)
    received.do(StoreRefused(None, "the disk is full"))
    assert "sending" == received.face
    for _ in range(3):
        received.after(1_000, LinkUp())
        received.do(received.answers(answer("central-2", (1,))))
    assert "undelivered" == received.face
    assert 1 == len(received.facts("undelivered"))

    received.do(reopened(received, 1), received.receipt(1))
    assert "received" == received.face, "given back after all"


def test_radio_is_not_said_to_carry_what_the_disk_does_not_give_back() -> None:
    world = World(replace(World().settings, radio=LICENSED))
    world.start()
    world.do(LinkUp(), world.answers(answer("central-1")))
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    restored(world)
    world.after(3_000)

    assert "undelivered" == world.face
    assert () == world.state.radio.wanted


def test_incident_that_was_forgotten_long_ago_is_sent_again_without_a_word(received: World) -> None:
    received.do(received.ack(1, AnswerState.CLOSED))
    received.live(60_000)
    assert 0 == len(received.state.recent)
    restored(received)
    said = received.do(reopened(received, 1))

    assert 1 == len(received.of(PublishFrame, said))
    assert "ready" == received.face
    received.do(received.receipt(1))
    assert "ready" == received.face


def test_second_press_that_was_forgotten_is_received_again_though_the_first_was_renewed(signing: World) -> None:
    """The second bears the first's old number; without its receipt the screen would say "sending" for ever."""
    signing.do(signing.answers(answer("central-1")))
    signing.hold(Button.ATTACK)
    signing.after(500)
    signing.hold(Button.ATTACK)
    digest = frame_digest(signing.stored[1][0].data)
    refusal = Refusal(CENTRAL, 8, NOON_S, FrameId(OURS, 1), RefusalReason.ID_CONFLICT, digest)
    signing.do(FrameReceived(signing.signed(refusal).data, None, Path.NETWORK))
    signing.do(signing.receipt(2), signing.receipt(3))
    assert "received" == signing.face

    signing.do(LinkUp())
    signing.do(signing.answers(answer("central-2", (2,))), reopened(signing, 2))
    assert "sending" == signing.face
    signing.do(signing.receipt(2))
    assert "received" == signing.face


@pytest.fixture
def lessened(received: World) -> World:
    """An assist was pressed after the attack; central has both, and somebody is on the way."""
    received.tap(Button.ASSIST)
    received.do(received.receipt(2), received.ack(1, AnswerState.ON_THE_WAY))
    assert ("on-the-way", 1) == (received.face, received.alert_on_disk(2).incident)
    return received


def test_screen_falls_back_where_a_restored_central_has_the_last_press_but_not_the_attack_before_it(
    lessened: World,
) -> None:
    """N3: it has an assist, and the screen said RECEIVED of an attack."""
    restored(lessened)
    said = lessened.do(reopened(lessened, 1))
    assert [lessened.stored[1][0]] == [order.signed for order in lessened.of(PublishFrame, said)]
    assert ("sending", 1) == (lessened.face, len(lessened.facts("forgotten")))

    lessened.after(3_000)
    assert "undelivered" == lessened.face
    lessened.do(lessened.receipt(1))
    assert "received" == lessened.face


def test_screen_stays_where_a_restored_central_lacks_an_earlier_press_that_is_no_more_urgent(received: World) -> None:
    received.hold(Button.ATTACK)
    received.do(received.receipt(2), received.ack(1, AnswerState.ON_THE_WAY))
    restored(received)
    said = received.do(reopened(received, 1))

    assert [1] == [order.signed.frame.counter for order in received.of(PublishFrame, said)]
    assert ("on-the-way", 0) == (received.face, len(received.facts("forgotten")))


def test_screen_falls_back_once_where_a_restored_central_lacks_both_presses(lessened: World) -> None:
    lessened.do(LinkUp())
    lessened.do(lessened.answers(answer("central-2", (1, 2))), reopened(lessened, 1), reopened(lessened, 2))
    assert ("sending", 1) == (lessened.face, len(lessened.facts("forgotten")))

    lessened.do(lessened.receipt(2))
    assert "sending" == lessened.face, "the attack is not there yet"
    lessened.do(lessened.receipt(1))
    assert "received" == lessened.face


def test_answer_to_a_press_that_is_renewed_is_nobodys_any_more(signing: World) -> None:
    """N3: it was to central's other incident with that number; ANSWERED without a name would stay for ever."""
    signing.do(signing.answers(answer("central-1")))
    signing.hold(Button.ATTACK)
    signing.after(500)
    signing.hold(Button.ATTACK)
    signing.do(signing.receipt(2), signing.ack(1, AnswerState.ANSWERED))
    assert "answered" == signing.face
    digest = frame_digest(signing.stored[1][0].data)
    refusal = Refusal(CENTRAL, 9, NOON_S, FrameId(OURS, 1), RefusalReason.ID_CONFLICT, digest)
    signing.do(FrameReceived(signing.signed(refusal).data, None, Path.NETWORK))

    assert "answered" != signing.face
    signing.do(signing.receipt(3))
    assert "received" == signing.face


def test_question_that_lists_nothing_does_not_make_what_a_restored_central_lacks_look_done(signing: World) -> None:
    """It went out before anything was heard of the new run, and that names no incident of ours."""
    signing.do(signing.answers(answer("central-1")))
    signing.hold(Button.ATTACK)
    signing.do(signing.receipt(1))
    asked = signing.of(PublishSync, signing.after(50_000))
    said = signing.do(signing.answers(answer("central-2")))
    assert [False] == [order.is_listing for order in asked][-1:]
    assert [True] == [order.is_listing for order in signing.of(PublishSync, said)]
    assert "received" == signing.face

    signing.do(signing.answers(answer("central-2", (1,))))
    assert "sending" == signing.face


def test_receipts_are_listed_to_each_new_run_until_it_lacks_none(received: World) -> None:
    first = received.of(PublishSync, received.do(LinkUp()))
    received.do(received.answers(answer("central-2")))
    assert [True] == [order.is_listing for order in first]
    assert "central-2" == received.state.central.listed_to

    restored(received, "central-3")
    assert "central-2" == received.state.central.listed_to
    assert [True] == [order.is_listing for order in received.of(PublishSync, received.do(reopened(received, 1)))]


def test_receipts_are_listed_again_where_the_disk_would_not_say_them(received: World) -> None:
    received.do(LinkUp(), ListingRefused())
    said = received.do(received.answers(answer("central-2")))

    assert [True] == [order.is_listing for order in received.of(PublishSync, said)]


def listings(world: World, done: list[Any]) -> int:
    return sum(order.is_listing for order in world.of(PublishSync, done))


def test_list_is_not_repeated_to_a_central_that_does_not_answer(signing: World) -> None:
    """It is thousands of receipts long, and every node of a town would say it again and again."""
    done = signing.after(3_600_000)

    assert len(signing.of(PublishSync, done)) > 60
    assert listings(signing, done) <= 2


def test_list_goes_out_once_a_central_that_did_not_answer_does(signing: World) -> None:
    signing.after(600_000)
    said = signing.do(signing.answers(answer("central-1")))
    assert 1 == listings(signing, said)

    signing.do(signing.answers(answer("central-1")))
    assert "central-1" == signing.state.central.listed_to


def test_list_goes_out_less_and_less_often_to_a_central_that_answers_all_but_it(signing: World) -> None:
    total = 0
    for _ in range(90):
        total += listings(signing, signing.after(40_000))
        said = signing.do(signing.answers(answer("central-1")))
        total += listings(signing, said)
        signing.do(ListingRefused())

    assert 3 < total < 15


def test_list_goes_out_less_and_less_often_over_a_link_that_comes_and_goes(signing: World) -> None:
    done = [effect for _ in range(200) for effect in signing.after(2_000, LinkDown("gone"), LinkUp())]

    assert 3 < listings(signing, done) < 10


def test_sync_tells_the_highest_numbers_of_central(received: World) -> None:
    received.do(received.says(OURS, 1, "answered", revision=77, answer=received.answer()))
    sync = received.of(PublishSync, received.do(LinkUp()))[0].sync

    assert (received.central_counter, 77) == (sync.central_counter, sync.central_revision)


def test_long_list_goes_in_parts_with_one_nonce() -> None:
    listed = [(counter, "0" * 16) for counter in range(1, 2 * RECEIPTED_MAX + 2)]
    parts = parts_of(Sync(boot_id="n1", nonce="a" * 32), listed)

    assert [(1, 3), (2, 3), (3, 3)] == [(part.part, part.parts) for part in parts]
    assert {"a" * 32} == {part.nonce for part in parts}
    assert [counter for counter, _ in listed] == [frame.counter for part in parts for frame in part.receipted]
    assert [(1, 1)] == [(part.part, part.parts) for part in parts_of(Sync(boot_id="n1"), [])]


@pytest.fixture
def kept(signing: World) -> FrameReceived:
    """The receipt of an attack that nobody was let hear, before another run of central, perhaps a restored one."""
    signing.do(signing.answers(answer("central-1")))
    signing.hold(Button.ATTACK)
    digest = frame_digest(signing.stored[1][0].data)
    signing.do(LinkUp())
    signing.do(signing.answers(SyncAnswer(boot_id="central-2", counter_floor=0, at=NOON + timedelta(seconds=60))))
    receipt = DigestReceipt(CENTRAL, 8, NOON_S, FrameId(OURS, 1), digest)
    return FrameReceived(signing.signed(receipt).data, None, Path.NETWORK)


@pytest.mark.finding(1)
def test_receipt_of_an_earlier_run_is_not_believed_while_the_present_one_answers(
    signing: World, kept: FrameReceived
) -> None:
    """Whoever holds the broker kept it: the presser read RECEIVED of an alert that the restored central lacks."""
    signing.do(kept)
    assert "received" != signing.face

    said = signing.after(3_000)
    assert [1] == [order.signed.frame.counter for order in signing.of(PublishFrame, said)]
    now = DigestReceipt(CENTRAL, 9, NOON_S + 90, FrameId(OURS, 1), frame_digest(signing.stored[1][0].data))
    signing.do(FrameReceived(signing.signed(now).data, None, Path.NETWORK))
    assert "received" == signing.face


def test_receipt_of_an_earlier_run_whose_clock_was_ahead_is_told_to_the_present_one(signing: World) -> None:
    """Its time is after that run's beginning; but it is also after now, for central was half an hour ahead."""
    signing.do(signing.answers(answer("central-1")))
    signing.hold(Button.ATTACK)
    kept = signing.receipt(1)
    signing.after(2_000, LinkUp())
    back_at = signing.wall() - timedelta(minutes=30)
    signing.do(signing.answers(SyncAnswer(boot_id="central-2", counter_floor=0, at=back_at)))
    said = signing.do(kept)

    assert [True] == [order.is_listing for order in signing.of(PublishSync, said)]
    assert [ReopenFrames((1,))] == signing.of(ReopenFrames, signing.do(signing.answers(answer("central-2", (1,)))))


def test_receipt_of_an_earlier_run_that_comes_without_a_link_is_told_to_the_next(
    signing: World, kept: FrameReceived
) -> None:
    """By radio, say, to a shop that is cut off: central's clock may have been set back since."""
    signing.do(LinkDown("gone"), kept)
    assert "received" == signing.face

    said = signing.do(LinkUp())
    assert [True] == [order.is_listing for order in signing.of(PublishSync, said)]
    assert [ReopenFrames((1,))] == signing.of(ReopenFrames, signing.do(signing.answers(answer("central-2", (1,)))))
