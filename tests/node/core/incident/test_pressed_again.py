"""A second press of an incident that somebody has answered: that answer was not to it (N3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.core.controls import Button
from node.core.effects import PlaySound
from tests.support.members import OURS
from tests.support.node_world import World
from wire.kinds import AnswerState


@pytest.fixture
def answered_by_network(world: World) -> World:
    """Attack, received, answered after three seconds; pressed again twenty seconds later, and received."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.live(3_000)
    world.do(world.says(OURS, 1, "answered", answer=world.answer(at=world.wall())))
    return pressed_again(world)


@pytest.fixture
def answered_by_radio(world: World) -> World:
    """The same, and the air brings nothing but receipts and acknowledgements."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.live(3_000)
    world.do(world.ack(1))
    return pressed_again(world)


def pressed_again(world: World) -> World:
    assert "answered" == world.face
    world.live(20_000)
    world.hold(Button.ATTACK)
    world.do(world.receipt(2))
    return world


@pytest.mark.finding(6)
@pytest.mark.parametrize("way", ["answered_by_network", "answered_by_radio"])
def test_second_press_reads_received_and_who_answered_before(way: str, request: pytest.FixtureRequest) -> None:
    screen = request.getfixturevalue(way).screen

    assert (("RECEIVED",), "earlier answer by") == (screen.headline, screen.lines[0])
    assert screen.lines[1].startswith("PCSO J")


@pytest.mark.finding(6)
def test_second_press_reads_answered_once_that_press_is(answered_by_network: World) -> None:
    """By the same person; the seconds are those on the control room's page."""
    world = answered_by_network
    first = world.answer(at=world.wall(), press="00000010-1", after_s=3)
    world.do(world.says(OURS, 1, "answered", revision=3, answer=first))
    assert "received" == world.face
    second = world.answer(at=world.wall(), press="00000010-2", after_s=9)
    world.do(world.says(OURS, 1, "answered", revision=4, answer=second))

    assert "answered" == world.face
    assert world.screen.lines[1].endswith("after 9 s")


@pytest.mark.finding(6)
def test_second_press_reads_answered_by_radio_once_somebody_says_so_again(answered_by_radio: World) -> None:
    world = answered_by_radio
    world.live(9_000)
    world.do(world.ack(1))

    assert "answered" == world.face
    assert "after 0 s" not in world.screen.lines[1]


@pytest.mark.finding(6)
def test_answer_that_was_long_on_its_way_is_not_to_a_press_made_meanwhile(world: World) -> None:
    """It names no press: its own time says that it was given before this one."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.live(3_000)
    answer = world.ack(1)
    world.live(20_000)
    world.hold(Button.ATTACK)
    world.do(world.receipt(2), answer)

    assert (("RECEIVED",), "earlier answer by") == (world.screen.headline, world.screen.lines[0])


@pytest.mark.finding(6)
def test_seconds_to_the_answer_are_those_of_the_clock_by_radio_too(world: World) -> None:
    """The control room counts from the time in the alert, which has whole seconds: 0.9 s late in one, 14 s is 14.8."""
    world.live(900 - world.wall().microsecond // 1_000)
    world.hold(Button.ATTACK)
    pressed_s = world.published()[-1].frame.at_s
    world.do(world.receipt(1))
    world.live(4_200)
    world.do(world.ack(1))
    counted_s = int(world.wall().timestamp()) - pressed_s

    assert world.screen.lines[1].endswith(f"after {counted_s} s")


@pytest.mark.finding(6)
def test_who_is_on_the_way_still_comes_after_a_second_press(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.ack(1, AnswerState.ON_THE_WAY))
    world.live(20_000)
    world.hold(Button.ATTACK)
    world.do(world.receipt(2))

    assert "on-the-way" == world.face


@pytest.mark.finding(6)
def test_seconds_to_the_answer_are_centrals_where_it_says_them(world: World) -> None:
    """Not those of this node's clock, so that shop and control room speak of the same."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.live(5_000)
    world.do(world.ack(1))
    told = world.answer(at=world.wall(), press="00000010-1", after_s=4)
    world.do(world.says(OURS, 1, "answered", answer=told))

    assert world.screen.lines[1].endswith("after 4 s")


def test_earlier_press_of_the_same_urgency_does_not_hold_up_received(world: World) -> None:
    """N3: the last press is what its presser waits for."""
    world.tap(Button.ASSIST)
    world.live(2_000)
    world.tap(Button.ASSIST)
    assert [1, 2] == list(world.stored)

    world.do(world.receipt(2))

    assert "received" == world.face


@pytest.mark.finding(6)
def test_answer_to_the_first_press_that_came_late_is_taken_back(world: World) -> None:
    """It was given while the second press was on its way, and names no press itself."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.live(10_000)
    world.hold(Button.ATTACK)
    world.do(world.receipt(2), world.ack(1))
    first = world.answer(at=world.wall(), press="00000010-1", after_s=11)
    world.do(world.says(OURS, 1, "answered", revision=5, answer=first))

    assert (("RECEIVED",), "earlier answer by") == (world.screen.headline, world.screen.lines[0])


@pytest.mark.finding(6)
def test_state_that_a_later_answer_has_overtaken_takes_nothing_back(answered_by_network: World) -> None:
    """The second press has been answered; what central said when that press arrived comes after it."""
    world = answered_by_network
    first = world.answer(at=world.wall() - timedelta(seconds=20), press="00000010-1", after_s=3)
    world.live(4_000)
    world.do(world.ack(1))
    assert "answered" == world.face
    done = world.do(world.says(OURS, 1, "answered", revision=3, answer=first))
    second = world.answer(at=world.wall(), press="00000010-2", after_s=4)
    done += world.do(world.says(OURS, 1, "answered", revision=4, answer=second))

    assert ("answered", []) == (world.face, world.of(PlaySound, done))
