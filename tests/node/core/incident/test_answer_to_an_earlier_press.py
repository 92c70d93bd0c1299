"""Answers, closings and who is on the way, heard in any order with the receipts of the presses after them (N3, N9)."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from node.core.events import FramesReopened, LinkDown, LinkUp, StoredFrame
from tests.support.members import OURS
from tests.support.node_world import World
from tests.support.said_by_radio import says_of
from wire.kinds import AnswerState, Priority
from wire.messages import SyncAnswer

pytestmark = pytest.mark.finding(6)


@pytest.mark.parametrize("heard", ["before the press", "before its receipt", "after its receipt"])
def test_nobody_comes_to_the_second_press_who_was_on_the_way_when_the_first_was_closed(
    world: World, heard: str
) -> None:
    """By radio alone. Central closed it before it got the second press, which opens it again: nobody has answered."""
    coming, closing = AnswerState.ON_THE_WAY, AnswerState.CLOSED
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    if heard == "before the press":
        world.do(says_of(world, 1, coming))
    world.live(5_000)
    world.hold(Button.ATTACK)
    if heard == "before its receipt":
        world.do(says_of(world, 1, coming))
    if heard == "after its receipt":
        world.do(world.receipt(2), says_of(world, 1, coming))
    world.do(says_of(world, 1, closing))
    world.do(world.receipt(2))

    assert "received" == world.face


def test_nobody_comes_to_an_attack_who_was_on_the_way_when_the_assist_after_it_was_closed(lowered: World) -> None:
    """Central closed the assist, and then got the attack, which opens it again."""
    lowered.do(says_of(lowered, 2, AnswerState.ON_THE_WAY, urgency=Priority.P2))
    lowered.do(says_of(lowered, 2, AnswerState.CLOSED, urgency=Priority.P2), lowered.receipt(1))

    assert "received" == lowered.face


def test_closing_of_a_cancelled_attack_is_told_though_its_receipt_was_lost(world: World) -> None:
    """Central has all: attack, assist and cancel. It says each answer twice, and nothing more."""
    world.hold(Button.ATTACK)
    world.after(5_000)
    world.tap(Button.ASSIST)
    world.hold(Button.CANCEL, 3_000)
    said = says_of(world, 2, AnswerState.CLOSED)
    world.do(world.receipt(2), said, world.receipt(1), said)

    assert 1 == len(world.facts("closed"))


def test_state_that_asks_anew_is_told_after_word_of_who_came_to_the_assist(lowered: World) -> None:
    """Central got the attack after the assist to which somebody was on the way: it asks anew."""
    lowered.do(says_of(lowered, 2, AnswerState.ON_THE_WAY, urgency=Priority.P2), lowered.receipt(1))
    lowered.do(lowered.says(OURS, 1, "unanswered", revision=9, kind="attack"))

    assert "received" == lowered.face


def test_closing_that_the_network_brings_before_the_receipt_ends_what_was_heard_of_the_first_press(
    world: World,
) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.live(5_000)
    world.hold(Button.ATTACK)
    world.do(says_of(world, 1, AnswerState.ON_THE_WAY))
    world.do(world.says(OURS, 1, "closed", revision=3, kind="attack"), world.receipt(2))

    assert "received" == world.face


def test_who_was_on_the_way_to_the_assist_holds_up_no_state_of_the_attack(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), says_of(world, 1, AnswerState.ON_THE_WAY))
    world.live(5_000)
    world.hold(Button.ATTACK)
    world.do(world.receipt(2))
    answer = world.answer(at=world.wall(), press="00000010-2", after_s=1)
    world.do(world.says(OURS, 1, "answered", revision=4, kind="attack", answer=answer))

    assert "answered" == world.face


def test_nobody_comes_of_whom_a_restored_central_knows_nothing(world: World) -> None:
    """It asked for the first press again; then the network was gone, and the radio brought both receipts."""
    world.do(LinkUp())
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.live(5_000)
    world.hold(Button.ATTACK)
    world.do(says_of(world, 1, AnswerState.ON_THE_WAY))
    lacks = SyncAnswer(boot_id="central-2", counter_floor=2, incidents=(), missing=(1,))
    world.do(world.answers(lacks))
    frames = (StoredFrame(world.stored[1][0], world.stored[1][1], is_receipted=False),)
    world.do(FramesReopened(frames), LinkDown("gone"))
    world.do(world.receipt(1), world.receipt(2))

    assert "received" == world.face


@pytest.mark.parametrize(("state", "face"), [(AnswerState.ANSWERED, "answered"), (AnswerState.CLOSED, "closed")])
def test_answer_to_the_attack_too_is_told_after_a_receipt_of_the_attack_that_overtook_it(
    lowered: World, state: AnswerState, face: str
) -> None:
    """Its first saying was lost, and the unit asked for the attack's receipt again before the second."""
    said = says_of(lowered, 2, state, urgency=Priority.P1)
    lowered.do(lowered.receipt(1), said)

    assert face == lowered.face
