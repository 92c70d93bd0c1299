"""N2, N6: presses that the disk refuses or delays, and presses that are taken back."""

from __future__ import annotations

import pytest

from node.core.controls import Button, Part, SoundPattern
from node.core.effects import AlertDraft, CancelDraft, PlaySound, PublishFrame, StoreFrame
from node.core.events import StoreRefused
from tests.support.node_world import World
from wire.frames import Alert, Cancel
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, CancelReason

OURS, BOOTS, CAFE = NodeId(0x10), NodeId(0x11), NodeId(0x12)

NOON_AT_S = 1_795_530_721


def test_press_before_the_first_is_stored_waits_for_its_counter_and_is_not_lost(world: World) -> None:
    """N2: assist and at once attack, on a slow disk."""
    world.disk_hangs = True
    first = world.of(StoreFrame, world.tap(Button.ASSIST))
    assert [] == world.of(StoreFrame, world.hold(Button.ATTACK))

    second = world.of(StoreFrame, world.do(world.store(first[0])))
    assert [AlertDraft(AlertKind.ATTACK, 1, (1,), silent=False, drill=False)] == [o.content for o in second]
    world.do(world.store(second[0]))
    assert ["ATTACK 14:32:01", "Saved on this unit"] == list(world.screen.lines)
    assert [1, 2] == [signed.frame.counter for signed in world.published()]


def test_refused_press_says_not_saved_and_is_tried_until_it_is(world: World) -> None:
    world.disk_full = True
    done = world.hold(Button.ATTACK)

    assert ("NOT", "SAVED") == world.screen.headline
    assert "Use radio or call 999" == world.screen.lines[1]
    assert PlaySound(SoundPattern.UNDELIVERED) in done
    assert [(("reason", "not saved"), ("draft", "1"))] == [fact.detail for fact in world.facts("undelivered")]
    assert Part.STORE in world.state.faults
    assert [] == world.facts("stored")
    assert [] == world.published()

    orders = world.of(StoreFrame, world.after(12_000))
    assert [1, 1] == [order.draft for order in orders]
    assert 1 == len(world.facts("undelivered"))

    world.disk_full = False
    world.after(3_500)
    assert "sending" == world.face
    assert [1] == [signed.frame.counter for signed in world.published()]
    assert Part.STORE not in world.state.faults
    assert NOON_AT_S == world.published()[0].frame.at_s, "the moment of the press, not of the disk's mercy"


def test_refused_press_that_is_saved_later_gets_its_full_time_for_a_receipt(world: World) -> None:
    world.disk_full = True
    world.hold(Button.ATTACK)
    world.after(8_000)
    world.disk_full = False
    world.after(3_000)
    assert "sending" == world.face

    world.after(2_100)
    assert "undelivered" == world.face


def test_pressing_again_tries_the_disk_again_at_once_and_keeps_one_draft(world: World) -> None:
    world.disk_full = True
    world.hold(Button.ATTACK)
    world.after(1_000)
    orders = world.of(StoreFrame, world.hold(Button.ATTACK))

    assert [1] == [order.draft for order in orders]
    assert 1 == len(world.state.drafts)
    assert 2 == len(world.facts("pressed"))


def test_drafts_stay_few_however_often_a_dead_disk_is_pressed(world: World) -> None:
    world.disk_full = True
    for _ in range(30):
        world.tap(Button.ASSIST)
        world.hold(Button.ATTACK)
        world.after(70_000)

    assert 2 == len(world.state.drafts)


def test_refused_upgrade_waits_with_its_own_words_and_then_follows(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.disk_full = True
    world.hold(Button.ATTACK)
    assert "not-stored" == world.face

    world.disk_full = False
    world.after(5_000)
    assert (2, 1) == (world.alert_on_disk(2).counter, world.alert_on_disk(2).incident)


def test_cancel_of_what_was_never_saved_clears_it_and_sends_nothing(world: World) -> None:
    world.disk_full = True
    world.hold(Button.ATTACK)
    world.hold(Button.CANCEL)
    assert (("CLEARED",), "Nothing was sent") == (world.screen.headline, world.screen.lines[0])
    assert () == world.state.drafts

    world.disk_full = False
    world.after(60_000)
    assert {} == world.stored


def test_cancel_of_a_press_that_the_disk_has_not_answered_follows_it(world: World) -> None:
    world.disk_hangs = True
    order = world.of(StoreFrame, world.hold(Button.ATTACK))[0]
    assert [] == world.of(StoreFrame, world.hold(Button.CANCEL))

    orders = world.of(StoreFrame, world.do(world.store(order)))
    assert [(CancelDraft, 1)] == [(type(o.content), getattr(o.content, "incident", None)) for o in orders]
    world.do(world.store(orders[0]))
    assert [Alert, Cancel] == [type(signed.frame) for signed in world.published()]


def test_cancel_of_a_press_that_the_disk_then_refuses_clears_it(world: World) -> None:
    world.disk_hangs = True
    order = world.of(StoreFrame, world.hold(Button.ATTACK))[0]
    world.hold(Button.CANCEL)
    world.do(StoreRefused(order.draft, "disk full"))

    assert "hint" == world.face
    assert () == world.state.drafts
    assert 0 == len(world.state.incidents)


@pytest.mark.parametrize(("wait_ms", "reason"), [(0, CancelReason.MISTAKE), (15_000, CancelReason.STAND_DOWN)])
def test_cancel_is_a_second_event_and_deletes_nothing(world: World, wait_ms: int, reason: CancelReason) -> None:
    """N6."""
    world.tap(Button.ASSIST)
    world.after(wait_ms)
    world.hold(Button.CANCEL)
    frame = world.stored[2][0].frame

    assert isinstance(frame, Cancel)
    assert (1, reason) == (frame.incident, frame.reason)
    assert (("CANCEL", "SAVED"), "Central not told yet") == (world.screen.headline, world.screen.lines[1])
    assert 2 == len(world.state.outbox.rows)
    assert [FrameId(OURS, 1)] == [fact.alert for fact in world.facts("cancelled")]

    world.do(world.receipt(2))
    assert (("CANCEL", "RECEIVED"), "Still open at central") == (world.screen.headline, world.screen.lines[1])
    done = world.after(9_000, world.status())
    assert [1] == sorted({e.signed.frame.counter for e in world.of(PublishFrame, done)}), "the alert itself still goes"

    world.do(world.receipt(1))
    assert 0 == len(world.state.outbox.rows)
    world.do(world.ack(1, AnswerState.CLOSED))
    assert "closed" == world.face


def test_cancel_with_nothing_open_says_so_and_stores_nothing(world: World) -> None:
    assert [] == world.of(StoreFrame, world.hold(Button.CANCEL))
    assert ("CANCEL",) == world.screen.headline
    world.after(3_000)
    assert "ready" == world.face


def test_cancel_twice_is_one_cancel(world: World) -> None:
    world.tap(Button.ASSIST)
    world.hold(Button.CANCEL)
    world.hold(Button.CANCEL)

    assert [Alert, Cancel] == [type(signed.frame) for signed, _ in world.stored.values()]


def test_cancel_takes_back_the_alert_and_not_a_test_that_was_pressed_after_it(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))
    world.tap(Button.TEST)
    world.hold(Button.CANCEL)

    cancels = [signed.frame for signed, _ in world.stored.values() if isinstance(signed.frame, Cancel)]
    assert [1] == [cancel.incident for cancel in cancels]


def test_test_alone_can_be_cancelled(world: World) -> None:
    world.tap(Button.TEST)
    world.hold(Button.CANCEL)

    assert [Alert, Cancel] == [type(signed.frame) for signed, _ in world.stored.values()]
