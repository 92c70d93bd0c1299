"""N2, N3, N13: what a restart may claim, and that it loses nothing."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from node.core.effects import PlaySound, PublishFrame, PublishSync
from node.core.events import Event, LinkUp, SeenFrame, Started, StoredFrame, SyncAnswered
from node.core.machine import initial_state
from tests.support.node_world import World
from wire.frames import Alert
from wire.ids import NodeId
from wire.kinds import AlertKind, AnswerState, Priority
from wire.messages import IncidentState, SyncAnswer

OURS, BOOTS = NodeId(0x10), NodeId(0x11)


def sync_answer(world: World, *states: IncidentState) -> SyncAnswered:
    return world.answers(SyncAnswer(boot_id="central-1", counter_floor=world.counter, incidents=states))


def test_unreceipted_alert_is_still_undelivered_and_the_same_bytes_go_out(world: World) -> None:
    world.hold(Button.ATTACK)
    data = world.published()[0].data
    world.after(5_000)
    world.log.clear()
    world.restart()
    assert "undelivered" == world.face
    assert [] == world.of(PlaySound, world.log)
    assert [] == world.facts("undelivered"), "that was said in the last run"

    assert [data] == [order.signed.data for order in world.of(PublishFrame, world.do(LinkUp()))]
    world.do(world.receipt(1, is_late=True))
    assert "received" == world.face


def test_crash_in_the_middle_of_a_press_leaves_it_its_time(world: World) -> None:
    world.hold(Button.ATTACK)
    world.after(500)
    world.restart()
    world.online()
    assert "sending" == world.face

    world.after(1_500)
    assert "undelivered" == world.face
    assert 1 == len(world.facts("undelivered"))


def test_row_of_unknown_age_is_undelivered() -> None:
    world = World()
    frame = world.signed(Alert(OURS, 7, 0, AlertKind.ASSIST, 7, (1,)))
    world.do(Started("boot-9", (StoredFrame(frame, None, is_receipted=False),), (), world.directory(), 7))

    assert "undelivered" == world.face


def test_receipted_alert_is_not_called_open_until_central_says_so(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.ack(1))
    world.restart()
    assert ("by central system", "No news since restart") == world.screen.lines

    world.online()
    world.do(sync_answer(world, world.incident_state(OURS, 1, "answered", answer=world.answer())))
    assert "answered" == world.face


def test_receipted_alert_that_central_closed_meanwhile_is_told_as_closed(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.restart()
    world.online()
    world.do(sync_answer(world, world.incident_state(OURS, 1, "closed")))

    assert "closed" == world.face


def test_receipted_alert_that_central_does_not_name_leaves_the_panel(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.restart()
    world.online()
    world.do(sync_answer(world))

    assert "ready" == world.face


def test_answer_that_crossed_the_receipt_closes_nothing(world: World) -> None:
    """N3: central could not name what it took in after it was asked; nobody closed it, so nobody says so."""
    world.hold(Button.ATTACK)
    world.after(10_000)
    world.restart()
    world.after(200)
    world.online()
    world.after(5, world.receipt(1))

    world.after(1, sync_answer(world))

    assert "received" == world.face
    assert [] == world.facts("closed")


def test_answer_that_was_cut_says_nothing_of_what_it_leaves_out(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.restart()
    world.online()
    many = tuple(world.incident_state(NodeId(0x13), n, scheme="pubwatch") for n in range(1, 257))
    world.do(sync_answer(world, *many))

    assert "received" == world.face


def test_doubt_that_came_after_the_sync_is_asked_again(world: World) -> None:
    world.hold(Button.ATTACK)
    world.restart()
    world.online()
    world.do(sync_answer(world))
    world.after(1_000, world.receipt(1, is_late=True))
    assert "No news since restart" == world.screen.lines[1]

    asked = world.of(PublishSync, world.live(10_000))
    assert 1 == len(asked)
    assert [] == world.of(PublishSync, world.live(60_000)), "once; central's answer settles it"


def test_cancelled_alert_stays_cancelled_and_both_frames_are_sent(world: World) -> None:
    world.hold(Button.ATTACK)
    world.hold(Button.CANCEL)
    world.restart()
    assert ("CANCEL", "SAVED") == world.screen.headline

    assert [1, 2] == sorted(order.signed.frame.counter for order in world.of(PublishFrame, world.do(LinkUp())))


def test_press_after_a_restart_opens_a_new_incident(world: World) -> None:
    """The old one may have been closed while we were off."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.restart()
    world.online()
    world.hold(Button.ATTACK)

    assert 2 == world.alert_on_disk(2).incident


def test_incident_that_central_confirmed_after_the_restart_is_joined(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.restart()
    world.online()
    world.do(sync_answer(world, world.incident_state(OURS, 1, kind="assist")))
    world.hold(Button.ATTACK)

    assert 1 == world.alert_on_disk(2).incident


def test_upgrade_is_restored_as_one_incident(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.hold(Button.ATTACK)
    world.after(10_000)
    world.restart()

    assert 1 == len(world.state.incidents)
    assert "undelivered" == world.face
    world.do(LinkUp(), world.receipt(2))
    assert "received" == world.face


def test_disk_that_is_read_later_adds_what_it_remembers_and_keeps_what_this_run_learnt() -> None:
    world = World()
    world.do(Started("boot-1", (), (), world.directory(), 0))
    world.counter = 40
    world.hold(Button.ATTACK)
    world.do(world.alert_from(BOOTS, 5))
    old = world.signed(Alert(OURS, 12, 0, AlertKind.ASSIST, 12, (1,)))
    ours, at_ms = world.stored[41]
    rows = (StoredFrame(old, None, is_receipted=False), StoredFrame(ours, at_ms, is_receipted=False))
    seen = SeenFrame(world.state.neighbours[0].alert, b"x" * 32, Priority.P1)
    world.do(Started("boot-1", rows, (seen,), world.directory(), 41), LinkUp())

    assert {12, 41} == {signed.frame.counter for signed in world.published()}
    assert "ATTACK" in world.screen.lines[0], "the press of this run stays on the panel"
    world.do(world.receipt(41), world.ack(41, AnswerState.CLOSED))
    assert [] == world.facts("shown"), "shown in the last run"


def test_rows_of_another_nodes_card_are_not_sent() -> None:
    world = World()
    foreign = world.signed(Alert(BOOTS, 3, 0, AlertKind.ASSIST, 3, (1,)))
    world.do(Started("boot-1", (StoredFrame(foreign, None, is_receipted=False),), (), world.directory(), 3), LinkUp())

    assert [] == world.published()
    assert {"outbox sender": 1} == dict(world.state.rejected)


@pytest.mark.parametrize("moment", ["drafted", "stored", "published", "received", "answered", "cancelled"])
def test_crash_at_any_step_loses_no_stored_alert_and_claims_nothing_new(world: World, moment: str) -> None:
    world.disk_hangs = moment == "drafted"
    world.hold(Button.ATTACK)
    world.disk_hangs = False
    steps: dict[str, list[Event]] = {
        "published": [world.puback(1)],
        "received": [world.receipt(1)],
        "answered": [world.receipt(1), world.ack(1)],
    }
    world.do(*steps.get(moment, []))
    if moment == "cancelled":
        world.hold(Button.CANCEL)
    world.log.clear()
    world.restart()
    world.online()

    assert set(world.stored) - world.receipted == {signed.frame.counter for signed in world.published()}
    assert "ANSWERED" not in world.screen.headline
    assert [] == [fact.fact for fact in world.facts()]


def test_initial_state_is_quiet() -> None:
    from node.core.machine import next_deadline_ms  # noqa: PLC0415

    state = initial_state(World().settings)

    assert None is state.screen
    assert None is next_deadline_ms(state)
