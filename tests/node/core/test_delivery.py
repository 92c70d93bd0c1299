"""N3, N8, N13: what goes to the broker when, and what makes it stop."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from node.core.controls import Button
from node.core.delivery import WINDOW
from node.core.effects import Effect, MarkReceipted, PublishFrame, PublishSync
from node.core.events import FramePublished, FrameReceived, LinkDown, LinkUp
from tests.support.node_world import World
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import Path
from wire.topics import FrameTopic

OURS, BOOTS = NodeId(0x10), NodeId(0x11)


def sent(world: World, effects: Iterable[Effect]) -> list[int]:
    return [order.signed.frame.counter for order in world.of(PublishFrame, effects)]


def fill(world: World, count: int) -> None:
    """Stored alerts of an earlier run, none receipted."""
    from wire.frames import Alert  # noqa: PLC0415
    from wire.kinds import AlertKind  # noqa: PLC0415

    for counter in range(1, count + 1):
        frame = Alert(OURS, counter, 1_795_000_000, AlertKind.ASSIST, counter, (1,))
        world.stored[counter] = (world.signed(frame), -3_600_000)
    world.counter = count


def test_resend_repeats_the_same_bytes_after_doubling_waits(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.puback(1))
    start_ms = world.now_ms
    moments: list[int] = []
    world.checks.append(
        lambda w, _event, effects: moments.extend(w.now_ms - start_ms for _ in w.of(PublishFrame, effects))
    )
    world.live(400_000)

    waits = [b - a for a, b in zip([0, *moments], moments, strict=False)]
    for expected_ms, wait_ms in zip((2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000), waits, strict=False):
        assert expected_ms - 100 <= wait_ms <= expected_ms * 9 // 8
    assert 1 == len({signed.data for signed in world.published()})


def test_receipt_ends_the_resending_and_marks_the_row(world: World) -> None:
    world.tap(Button.ASSIST)
    done = world.do(world.receipt(1))

    assert [MarkReceipted(FrameId(OURS, 1))] == world.of(MarkReceipted, done)
    assert [] == sent(world, world.live(200_000))


def test_puback_is_not_delivery(world: World) -> None:
    """N8."""
    world.tap(Button.ASSIST)
    world.do(world.puback(1), world.puback(1))
    assert 1 == len(world.state.outbox.rows)
    assert 1 == len(world.facts("published"))
    assert [] == world.of(MarkReceipted, world.log)

    world.after(2_000)
    assert "undelivered" == world.face


def test_link_up_sends_at_once_what_waits(offline: World) -> None:
    offline.tap(Button.ASSIST)
    offline.after(45_000)

    assert [1] == sent(offline, offline.do(LinkUp()))


@pytest.mark.parametrize("news", ["first status", "new boot"])
def test_central_that_is_heard_anew_is_sent_everything_at_once(world: World, news: str) -> None:
    if news == "first status":
        world.do(LinkDown("gone"), LinkUp())
    world.tap(Button.ASSIST)
    world.do(world.puback(1))
    world.after(1_000)

    done = world.do(world.status("central-1" if news == "first status" else "central-2"))
    assert [1] == sent(world, done)


def test_status_of_the_same_central_sends_nothing_extra(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.puback(1))

    assert [] == sent(world, world.after(500, world.status()))


def test_backlog_goes_oldest_first_and_never_more_than_the_window() -> None:
    world = World()
    fill(world, 300)
    world.start()
    order = sent(world, world.online())
    in_flight = set(order)
    assert list(range(1, WINDOW + 1)) == order[:WINDOW]

    while in_flight:
        counter = min(in_flight)
        in_flight.discard(counter)
        more = sent(world, world.do(world.puback(counter)))
        order += more
        in_flight |= set(more)
        assert len(in_flight) <= WINDOW

    assert list(range(1, 301)) == sorted(set(order))


def test_fresh_press_goes_before_the_backlog_whatever_is_in_flight() -> None:
    world = World()
    fill(world, 1_000)
    world.start()
    world.online()

    assert [1_001] == sent(world, world.hold(Button.ATTACK))
    world.do(LinkDown("gone"))
    again = sent(world, world.do(LinkUp()))
    assert [1_001, 1, 2, 3] == again[:4]


def test_receipts_alone_keep_the_backlog_moving() -> None:
    """Central's receipt may overtake the broker's PUBACK."""
    world = World()
    fill(world, 100)
    world.start()
    world.online()
    for counter in range(1, 101):
        world.do(world.receipt(counter))

    assert 0 == len(world.state.outbox.rows)
    assert None is world.state.outbox.round_at_ms


@pytest.mark.one_python
def test_two_thousand_alerts_of_an_offline_week_are_all_delivered() -> None:
    """N13."""
    world = World()
    fill(world, 2_000)
    world.start()
    waiting = sent(world, world.online())
    while waiting:
        counter = waiting.pop(0)
        waiting += sent(world, world.do(world.puback(counter)))
        waiting += sent(world, world.do(world.receipt(counter)))

    assert 0 == len(world.state.outbox.rows)
    assert set(range(1, 2_001)) == world.receipted


@pytest.mark.one_python
def test_ten_thousand_rows_are_shared_between_one_state_and_the_next() -> None:
    """A step copies a bucket, not the outbox, and leaves the old state as it was."""
    world = World()
    fill(world, 10_000)
    world.start()
    world.online()
    before = world.state.outbox.rows
    world.hold(Button.ATTACK)
    world.do(world.puback(1), world.receipt(1), world.receipt(5_000))
    now = world.state.outbox.rows

    assert (10_000, 9_999) == (len(before), len(now))
    shared = sum(bucket is now._buckets.get(number) for number, bucket in before._buckets.items())
    assert len(before._buckets) - 3 <= shared


def test_dead_central_is_not_sent_the_whole_backlog_again_and_again() -> None:
    """Its queue at the broker holds everybody's alerts: after the first round only the newest are repeated."""
    world = World()
    fill(world, 200)
    world.start()
    waiting = sent(world, world.do(LinkUp()))
    while waiting:
        waiting += sent(world, world.do(world.puback(waiting.pop(0))))

    later = sent(world, world.after(20_000))
    assert later
    assert set(range(181, 201)) >= set(later)


def test_lost_pubacks_do_not_stop_the_round_for_ever() -> None:
    world = World()
    fill(world, 50)
    world.start()
    world.online()
    done = [counter for _ in range(4) for counter in sent(world, world.after(9_000, world.status()))]

    assert list(range(1, WINDOW + 1)) == sorted(set(done)), "no PUBACK: the window is sent again, not more"


def test_link_down_sends_nothing(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(LinkDown("gone"))

    assert [] == sent(world, world.after(600_000))


def test_receipt_for_somebody_else_is_counted_and_ignored(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1, target=BOOTS), world.receipt(99))

    assert {"receipt target": 2} == dict(world.state.rejected)
    assert 1 == len(world.state.outbox.rows)


def test_repeated_receipt_is_harmless_and_not_counted(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.receipt(1), world.receipt(1, is_late=True))

    assert 1 == len(world.facts("receipt"))
    assert {} == dict(world.state.rejected)
    assert "by central system" == world.screen.lines[0]


def test_receipt_that_central_did_not_sign_is_refused(world: World) -> None:
    """A member's signature under a receipt, and central's name over a member's key."""
    from wire.frames import Receipt  # noqa: PLC0415

    world.tap(Button.ASSIST)
    as_member = world.signed(Receipt(BOOTS, 5, 0, FrameId(OURS, 1)))
    forged = world.signed(Receipt(CENTRAL, 5, 0, FrameId(OURS, 1)), world.key_of(BOOTS))
    for frame in (as_member, forged):
        world.do(FrameReceived(frame.data, None, Path.NETWORK))

    assert "sending" == world.face
    assert {"not central": 1, "signature": 1} == dict(world.state.rejected)


def test_puback_for_somebody_elses_frame_is_ignored(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(FramePublished(FrameId(BOOTS, 1)), FramePublished(FrameId(OURS, 77)))

    assert [] == world.facts("published")


def test_our_own_frame_that_the_broker_returns_is_ignored(world: World) -> None:
    world.tap(Button.ASSIST)
    data = world.published()[0].data
    world.do(FrameReceived(data, FrameTopic("hart", OURS), Path.NETWORK), FrameReceived(data, None, Path.RADIO))

    assert () == world.state.neighbours
    assert {} == dict(world.state.rejected)


def test_sync_names_what_waits_and_for_how_long(offline: World) -> None:
    """N13: the age lets central tell late from live although our clock was not proven."""
    offline.tap(Button.ASSIST)
    offline.after(40_000)
    offline.tap(Button.ASSIST)
    sync = offline.of(PublishSync, offline.after(5_000, LinkUp()))[0].sync

    assert [(1, 45_120), (2, 5_020)] == [(p.counter, p.age_ms) for p in sync.pending]
    assert (2, 1, "boot-1") == (sync.last_counter, sync.directory_serial, sync.boot_id)


def test_sync_names_the_oldest_of_very_many() -> None:
    world = World()
    fill(world, 500)
    world.start()
    sync = world.of(PublishSync, world.do(LinkUp()))[0].sync

    assert list(range(1, 129)) == [pending.counter for pending in sync.pending]
