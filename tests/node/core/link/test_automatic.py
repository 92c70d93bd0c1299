"""N3, N12: what Watchlink answers by itself proves a test, and is no answer to a call for help."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from node.core.events import FrameReceived, LinkUp
from tests.support.node_world import World
from wire.frames import AutomaticAcknowledgement
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AnswerState, Path
from wire.messages import IncidentState, SyncAnswer

pytestmark = pytest.mark.finding(9)


def itself(
    world: World, counter: int, incident: int, state: AnswerState = AnswerState.ANSWERED, age_s: int = 0
) -> FrameReceived:
    at_s = int(world.wall().timestamp()) - age_s
    target = FrameId(NodeId(0x10), incident)
    frame = AutomaticAcknowledgement(CENTRAL, 100 + counter, at_s, target, state)
    return FrameReceived(world.signed(frame).data, None, Path.NETWORK)


def test_answer_of_watchlink_itself_leaves_the_proof_on_the_screen(world: World) -> None:
    world.tap(Button.TEST)
    world.do(world.receipt(1), itself(world, 1, 1))

    assert (("TEST OK",), {}) == (world.screen.headline, dict(world.state.rejected))


def test_answer_of_watchlink_itself_answers_no_alert(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), itself(world, 1, 1))

    assert (("RECEIVED",), {"acknowledgement target": 1}) == (world.screen.headline, dict(world.state.rejected))


def test_answer_of_watchlink_itself_that_somebody_kept_closes_no_test(world: World) -> None:
    """Central has been asked since, and said that it is open."""
    world.tap(Button.TEST)
    world.do(world.receipt(1), world.ack(1))
    world.after(100_000)
    world.do(world.answers(SyncAnswer("central-1", 0, (open_test(world),), at=world.wall())))
    world.do(itself(world, 2, 1, AnswerState.CLOSED, age_s=50))

    assert [] == world.facts("closed")


def test_answer_of_watchlink_itself_of_before_a_restart_is_not_of_now(world: World) -> None:
    world.tap(Button.TEST)
    automatic = itself(world, 1, 1)
    world.do(world.receipt(1), automatic, world.ack(1))
    world.restart()
    world.do(LinkUp(), automatic)

    assert 1 == len(world.facts("acknowledged"))


def test_state_older_than_the_answer_of_watchlink_itself_takes_nothing_back(world: World) -> None:
    """N3: the answer comes by a connection of its own, and overtook it. The shop read that it was taken back."""
    world.tap(Button.TEST)
    world.do(world.receipt(1), itself(world, 1, 1))

    world.do(world.says(NodeId(0x10), 1, "unanswered", revision=1, kind="test"))

    assert ["answered"] == [dict(fact.detail)["state"] for fact in world.facts("acknowledged")]


def open_test(world: World) -> IncidentState:
    said: IncidentState = world.incident_state(NodeId(0x10), 1, kind="test", state="answered", answer=world.answer())
    return said
