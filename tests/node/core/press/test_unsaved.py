"""N2, N3, N8: a press that the disk refuses goes out all the same, and nobody calls it saved (ADR 0018)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from node.core.controls import Button, LedPattern, Part, SoundPattern
from node.core.effects import MarkReceipted, PlaySound, PublishFrame, PublishSync, Stop, StoreFrame, TransmitOver
from node.core.events import (
    ClockRead,
    FrameReceived,
    LinkDown,
    LinkUp,
    OverEnded,
    OverStarted,
    Started,
    StopAsked,
    StoreRefused,
)
from node.core.link.supervision import health
from node.core.listing import parts_of
from node.core.radio.path import RadioPath, can_transmit, radio_path
from node.core.screens import Dots, Emphasis
from node.core.settings import RadioSettings, RadioTiming
from node.core.table import PathPhase
from tests.support.node_world import World, node_world
from wire.answers import frame_digest
from wire.frames import Alert, Cancel, PathTest, Refusal, Response
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, Path, RefusalReason
from wire.messages import ReceiptedFrame, Sync, SyncAnswer

OURS, BOOTS = NodeId(0x10), NodeId(0x11)


def unsaved_alert(world: World, counter: int) -> Alert:
    """What the disk refused, which is an alert."""
    frame = world.unsaved[counter].frame
    assert isinstance(frame, Alert)
    return frame


@pytest.fixture
def unsaved(world: World) -> World:
    """Central on duty, and a disk that takes nothing."""
    world.disk_full = world.is_numbered_unsaved = True
    return world


def published(world: World, done: list[Any]) -> list[tuple[type, int]]:
    return [(type(e.signed.frame), e.signed.frame.counter) for e in world.of(PublishFrame, done)]


def test_press_that_the_disk_refuses_is_sent_at_once_and_called_not_saved(unsaved: World) -> None:
    done = unsaved.hold(Button.ATTACK)

    assert [(Alert, 1)] == published(unsaved, done)
    assert (("NOT", "SAVED"), "Sending it anyway") == (unsaved.screen.headline, unsaved.screen.lines[1])
    assert Emphasis.PLAIN is unsaved.screen.emphasis
    assert [FrameId(OURS, 1)] == [fact.alert for fact in unsaved.facts("unsaved")]
    assert [] == unsaved.facts("stored") + unsaved.facts("undelivered")
    assert Part.STORE in unsaved.state.faults


def test_unsaved_press_reads_received_and_answered_like_any_other(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1))
    assert "received" == unsaved.face

    unsaved.do(unsaved.ack(1))
    assert "answered" == unsaved.face


def test_unsaved_press_without_receipt_says_not_saved_and_to_use_the_radio(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    done = unsaved.live(3_000)

    assert (("NOT", "SAVED"), "Use radio or call 999") == (unsaved.screen.headline, unsaved.screen.lines[1])
    assert Emphasis.INVERTED is unsaved.screen.emphasis
    assert PlaySound(SoundPattern.UNDELIVERED) in done
    assert LedPattern.UNDELIVERED is unsaved.state.led
    assert {(Alert, 1)} == set(published(unsaved, unsaved.live(60_000))), "tried while the program lives"


def test_unsaved_press_without_a_network_says_at_once_to_use_the_radio(unsaved: World) -> None:
    unsaved.do(LinkDown("gone"))
    unsaved.hold(Button.ATTACK)

    assert (("NOT", "SAVED"), "Use radio or call 999") == (unsaved.screen.headline, unsaved.screen.lines[1])
    assert Emphasis.INVERTED is unsaved.screen.emphasis


def test_unsaved_press_is_carried_by_the_radio_too() -> None:
    world = node_world(RadioSettings("L-1"))
    world.start()
    world.disk_full = world.is_numbered_unsaved = True
    world.hold(Button.ATTACK)

    assert can_transmit(world.state)
    assert [1] == [wanted.counter for wanted in world.state.radio.wanted]
    assert ("NOT", "SAVED") == world.screen.headline
    assert world.screen.lines[1].startswith("By radio now")


def test_unsaved_press_is_saved_in_the_same_bytes_once_the_disk_takes_them(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    sent = unsaved.published()[0]
    unsaved.disk_full = False
    orders = unsaved.of(StoreFrame, unsaved.after(6_000))

    assert [sent] == [order.signed for order in orders]
    assert [sent] == [frame for frame, _ in unsaved.stored.values()]
    assert 1 == len(unsaved.facts("stored"))
    assert () == unsaved.state.drafts
    assert ("NOT", "DELIVERED") == unsaved.screen.headline, "saved now, and not received"
    assert Part.STORE not in unsaved.state.faults


def test_receipt_that_came_before_the_disk_did_is_marked_when_it_does(unsaved: World) -> None:
    """The row is listed to a central that was restored, and not sent again after a restart."""
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1))
    unsaved.receipted.clear()
    unsaved.disk_full = False
    done = unsaved.after(6_000)

    assert [FrameId(OURS, 1)] == [order.id for order in unsaved.of(MarkReceipted, done)]
    assert 0 == len(unsaved.state.outbox.rows)
    assert [] == published(unsaved, unsaved.live(120_000))


def test_unsaved_press_that_a_restored_central_lacks_is_listed_and_sent_again_in_the_same_bytes(unsaved: World) -> None:
    """N2, N3: no disk gives it back. The shop went from RECEIVED to READY, and nobody had the attack."""
    unsaved.do(unsaved.answers(SyncAnswer(boot_id="central-1", counter_floor=0)))
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1))
    order = unsaved.of(PublishSync, unsaved.do(LinkUp()))[0]
    listed = [(1, frame_digest(unsaved.unsaved[1].data).hex())]
    assert order.is_listing
    assert listed == [(told.counter, told.digest) for told in parts_of(order.sync, ())[0].receipted]

    done = unsaved.do(unsaved.answers(SyncAnswer(boot_id="central-2", counter_floor=0, missing=(1,))))
    assert (("NOT", "SAVED"), "Sending it anyway") == (unsaved.screen.headline, unsaved.screen.lines[1])
    assert [unsaved.unsaved[1]] == [order.signed for order in unsaved.of(PublishFrame, done)]
    assert [1] == [told.counter for told in unsaved.of(PublishSync, done)[-1].sync.pending]
    unsaved.do(unsaved.receipt(1))
    assert "received" == unsaved.face


def test_unsaved_press_that_a_restored_central_lacks_is_saved_without_its_old_receipt(unsaved: World) -> None:
    unsaved.do(unsaved.answers(SyncAnswer(boot_id="central-1", counter_floor=0)))
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1), LinkUp())
    unsaved.do(unsaved.answers(SyncAnswer(boot_id="central-2", counter_floor=0, missing=(1,))))
    unsaved.receipted.clear()
    unsaved.disk_full = False
    unsaved.after(6_000)

    assert ({1}, set()) == (set(unsaved.stored), unsaved.receipted)


def test_press_that_was_saved_at_last_is_listed_once() -> None:
    """A commit that the disk reported as failed may have reached it: then its list has the press as well."""
    listed = ReceiptedFrame(counter=2, digest="b" * 16)
    (part,) = parts_of(Sync(boot_id="n1", receipted=(listed,)), [(3, "c" * 16), (2, "b" * 16), (1, "a" * 16)])

    assert [(1, "a" * 16), (2, "b" * 16), (3, "c" * 16)] == [(told.counter, told.digest) for told in part.receipted]


def test_second_press_while_the_disk_is_full_is_a_press_of_its_own(unsaved: World) -> None:
    """Central has the first, perhaps somebody answered it: the second must be heard too."""
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1), unsaved.ack(1))
    unsaved.after(5_000)
    done = unsaved.hold(Button.ATTACK)

    assert (Alert, 2) in published(unsaved, done)
    assert 1 == unsaved_alert(unsaved, 2).incident
    assert ("NOT", "SAVED") == unsaved.screen.headline


def test_upgrade_of_a_saved_assist_is_sent_although_the_disk_has_filled_up(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.disk_full = world.is_numbered_unsaved = True
    done = world.hold(Button.ATTACK)

    assert (Alert, 2) in published(world, done)
    assert (AlertKind.ATTACK, 1) == (unsaved_alert(world, 2).kind, unsaved_alert(world, 2).incident)
    assert ("NOT", "SAVED") == world.screen.headline


def test_cancel_that_the_disk_refuses_is_sent_and_holds_once_central_has_it(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1))
    done = unsaved.hold(Button.CANCEL)
    assert (Cancel, 2) in published(unsaved, done)
    assert (("CANCEL",), ("Not saved here", "Being sent")) == (unsaved.screen.headline, unsaved.screen.lines)

    unsaved.do(unsaved.receipt(2))
    unsaved.after(3_000)
    assert ("CANCEL", "RECEIVED") == unsaved.screen.headline

    unsaved.disk_full = False
    unsaved.after(6_000)
    assert ("CANCEL", "RECEIVED") == unsaved.screen.headline, "the disk's word takes nothing back"
    assert {1, 2} == set(unsaved.stored)


def test_cancel_of_an_unsaved_press_that_was_sent_follows_it(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    unsaved.hold(Button.CANCEL)
    sent = unsaved.published()

    assert {Alert, Cancel} == {type(signed.frame) for signed in sent}
    assert {1} == {signed.frame.incident for signed in sent if isinstance(signed.frame, Alert | Cancel)}
    assert 2 == len(unsaved.state.outbox.rows)


def test_answer_to_a_neighbour_is_sent_although_the_disk_is_full(unsaved: World) -> None:
    unsaved.do(unsaved.alert_from(BOOTS, 5))
    done = unsaved.tap(Button.RESPONDING)

    assert (Response, 1) in published(unsaved, done)


def test_many_unsaved_presses_try_the_disk_one_at_a_time_and_follow_together(unsaved: World) -> None:
    for _ in range(12):
        unsaved.hold(Button.ATTACK)
        unsaved.after(70_000)
    assert 12 == len(unsaved.state.drafts)

    assert [1, 1] == [len(unsaved.of(StoreFrame, unsaved.after(5_000))) for _ in range(2)]
    unsaved.disk_full = False
    unsaved.after(5_000)
    assert set(range(1, 13)) == set(unsaved.stored)
    assert () == unsaved.state.drafts


def test_press_with_one_on_its_way_does_not_wait_for_the_disk_to_refuse_that_again(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    unsaved.after(1_000)

    assert [None] == [order.signed for order in unsaved.of(StoreFrame, unsaved.hold(Button.ATTACK))]


def test_unsaved_press_whose_number_central_gave_to_another_is_sent_anew(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    frame = Refusal(
        CENTRAL,
        unsaved._central(),
        0,
        FrameId(OURS, 1),
        RefusalReason.ID_CONFLICT,
        frame_digest(unsaved.unsaved[1].data),
    )
    done = unsaved.do(FrameReceived(unsaved.signed(frame).data, None, Path.NETWORK))

    assert (Alert, 2) in published(unsaved, done)
    kept = [draft.signed and draft.signed.frame.counter for draft in unsaved.state.drafts]
    assert [2] == kept, "nobody saves what cannot arrive"
    assert [2] == [counter for counter, _ in unsaved.state.outbox.rows.oldest()]
    unsaved.disk_full = False
    unsaved.after(6_000)
    assert [2] == list(unsaved.stored)


def test_silent_unsaved_press_shows_the_dash_until_central_has_it(silent: World) -> None:
    """N4: one dot says *saved*, and it is not."""
    silent.disk_full = silent.is_numbered_unsaved = True
    silent.hold(Button.ATTACK)
    assert Dots.UNDELIVERED is silent.screen.dots

    silent.do(silent.receipt(1))
    assert Dots.RECEIVED is silent.screen.dots


def test_test_that_cannot_be_saved_never_asks_for_999(world: World) -> None:
    world.disk_full = True
    world.tap(Button.TEST)

    assert (("NOT", "SAVED"), "Tell co-ordinator") == (world.screen.headline, world.screen.lines[1])


def test_health_counts_an_unsaved_press_once(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)

    assert 1 == health(unsaved.state, unsaved.now_ms).outbox_depth


def test_restart_claims_nothing_of_it_until_central_says_what_it_has(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1))
    unsaved.restart()
    assert 0 == len(unsaved.state.incidents)

    state = unsaved.incident_state(OURS, 1, "unanswered")
    unsaved.do(unsaved.answers(SyncAnswer(boot_id="central-1", counter_floor=1, incidents=(state,))))
    assert "received" == unsaved.face


def test_idle_face_says_that_alerts_are_not_saved_and_sends_nobody_to_999_while_they_go_out(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1), unsaved.ack(1))
    unsaved.live(70_000)
    assert ("fault", ("Alerts are NOT saved", "Tell co-ordinator")) == (unsaved.face, unsaved.screen.lines)

    unsaved.do(LinkDown("gone"))
    assert ("fault", ("Alerts are NOT saved", "Use radio or call 999")) == (unsaved.face, unsaved.screen.lines)


def test_idle_face_sends_to_999_where_a_press_could_not_even_be_numbered(world: World) -> None:
    world.disk_full = True
    world.tap(Button.ASSIST)
    world.hold(Button.CANCEL)
    world.live(10_000)

    assert ("fault", ("Alerts are NOT saved", "Use radio or call 999")) == (world.face, world.screen.lines)


def test_idle_face_sends_to_999_before_the_first_press_where_none_could_be_numbered() -> None:
    """The disk could not be read and no clock is proven: nothing tells which numbers are used."""
    world = World()
    world.do(Started("boot", (), (), world.directory(), 0, secret=bytes(16), is_store_read=False), LinkUp())
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=0)), StoreRefused(None, "no disk"))
    world.live(70_000)
    assert PathPhase.PROVEN is world.state.central.path
    assert ("fault", ("Alerts are NOT saved", "Use radio or call 999")) == (world.face, world.screen.lines)

    world.do(ClockRead(int(world.wall().timestamp()), is_proven=True))
    assert ("fault", ("Alerts are NOT saved", "Tell co-ordinator")) == (world.face, world.screen.lines)


def test_end_of_the_program_offers_the_disk_what_it_would_forget(unsaved: World) -> None:
    unsaved.hold(Button.ATTACK)
    unsaved.disk_full = False
    done = unsaved.do(StopAsked())

    assert [1] == list(unsaved.stored)
    kinds = [type(effect) for effect in done]
    assert kinds.index(StoreFrame) < kinds.index(Stop)


def test_end_of_the_program_saves_also_that_central_has_it(unsaved: World) -> None:
    """The next run must not say NOT DELIVERED of what was received, nor send it again by radio."""
    unsaved.online()
    unsaved.hold(Button.ATTACK)
    unsaved.do(unsaved.receipt(1))
    unsaved.disk_full = False
    done = unsaved.do(StopAsked())

    upto = [type(effect) for effect in done][: [type(effect) for effect in done].index(Stop)]
    assert MarkReceipted in upto[upto.index(StoreFrame) :]


def test_radio_is_proven_although_the_disk_is_full() -> None:
    """N11: else the panel would say NO LINK after a day, while alerts do go by radio."""
    radio = RadioSettings("L-1", timing=RadioTiming(path_test_first_ms=400))
    world = node_world(radio)
    world.disk_full = world.is_numbered_unsaved = True
    world.start()
    done = world.after(5_000)
    over = world.of(TransmitOver, done)[0].over
    world.do(OverStarted(over), OverEnded(over, 900), replace(world.receipt(1), path=Path.RADIO))

    assert isinstance(world.unsaved[1].frame, PathTest)
    assert RadioPath.READY is radio_path(world.state, world.now_ms)
    assert () == world.state.drafts
