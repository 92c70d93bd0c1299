"""An acknowledgement names the press that was answered, so that no clock decides which it was (N3, N9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.core.controls import Button
from node.core.effects import PlaySound
from node.core.events import FrameReceived
from tests.support.members import OURS
from tests.support.node_world import World
from wire.frames import PressAcknowledgement
from wire.ids import CENTRAL, FrameId
from wire.kinds import AnswerState, Path, Role

pytestmark = pytest.mark.finding(6)
CLOCK_AHEAD_S = 40


def says_of(world: World, press: int, state: AnswerState = AnswerState.ANSWERED) -> FrameReceived:
    """By a central whose clock is ahead of the shop's."""
    world.central_counter += 1
    at_s = int(world.wall().timestamp()) + CLOCK_AHEAD_S
    target = FrameId(OURS, press)
    frame = PressAcknowledgement(CENTRAL, world.central_counter, at_s, target, Role.PCSO, state, "J Patel")
    return FrameReceived(world.signed(frame).data, None, Path.NETWORK)


@pytest.fixture
def upgraded(world: World) -> World:
    """An assist, received; twenty seconds later it is an attack, which is not received yet."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.live(20_000)
    world.hold(Button.ATTACK)
    assert [1, 2] == list(world.stored)
    return world


def test_answer_to_the_assist_is_none_to_the_attack_whatever_the_clocks_say(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1))

    assert (("RECEIVED",), "earlier answer by") == (upgraded.screen.headline, upgraded.screen.lines[0])


def test_answer_to_the_attack_is_told(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 2))

    assert ("answered", {}) == (upgraded.face, dict(upgraded.state.rejected))


def test_answer_before_the_receipt_of_its_press_holds_with_that(upgraded: World) -> None:
    """By radio they may come in any order, and the acknowledgement alone proves no receipt."""
    upgraded.do(says_of(upgraded, 2))
    assert "answered" != upgraded.face
    upgraded.do(upgraded.receipt(2))

    assert "answered" == upgraded.face


def test_whoever_closed_the_assist_has_not_closed_the_attack(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1, AnswerState.CLOSED))
    assert (("RECEIVED",), []) == (upgraded.screen.headline, upgraded.facts("closed"))

    upgraded.do(says_of(upgraded, 2, AnswerState.CLOSED))
    assert 1 == len(upgraded.facts("closed"))


def test_who_is_on_the_way_to_the_assist_still_comes(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1, AnswerState.ON_THE_WAY))

    assert "on-the-way" == upgraded.face


def test_press_between_the_first_and_the_last_is_of_that_incident(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2))
    upgraded.live(20_000)
    upgraded.hold(Button.ATTACK)
    upgraded.do(upgraded.receipt(3), says_of(upgraded, 2))

    assert ("earlier answer by", {}) == (upgraded.screen.lines[0], dict(upgraded.state.rejected))


@pytest.mark.parametrize("press", [3, 900])
def test_answer_to_a_press_that_we_never_made_tells_nothing(upgraded: World, press: int) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, press))

    assert (("RECEIVED",), {"acknowledgement target": 1}) == (upgraded.screen.headline, dict(upgraded.state.rejected))


def test_state_of_the_first_answer_that_the_second_has_overtaken_takes_nothing_back(upgraded: World) -> None:
    """Within the two seconds in which the times of answers without a press do not tell them apart."""
    at = upgraded.wall() + timedelta(seconds=CLOCK_AHEAD_S)
    first = upgraded.answer(at=at, press="00000010-1", after_s=22)
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1), says_of(upgraded, 2))
    assert "answered" == upgraded.face
    done = upgraded.do(upgraded.says(OURS, 1, "answered", revision=3, kind="attack", answer=first))

    assert ("answered", []) == (upgraded.face, upgraded.of(PlaySound, done))
    second = upgraded.answer(at=at, press="00000010-2", after_s=2)
    upgraded.do(upgraded.says(OURS, 1, "answered", revision=4, kind="attack", answer=second))
    upgraded.do(upgraded.says(OURS, 1, "answered", revision=5, kind="attack", answer=first))
    assert "received" == upgraded.face, "central's later word, that the second answer was taken back, counts"
