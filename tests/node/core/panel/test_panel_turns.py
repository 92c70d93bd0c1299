"""N5: who has the panel when there are several alerts, ours among them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from node.core.controls import Button
from node.core.effects import Effect, PlaySound, ResponseDraft, ShowScreen, StoreFrame
from tests.support.node_world import World
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, AnswerState

OURS, BOOTS, CAFE, PUB, THIEF = (NodeId(n) for n in range(0x10, 0x15))
OPENED = FrameId(BOOTS, 5)


def targets(effects: Iterable[Effect]) -> list[FrameId]:
    """Whose alerts are answered by what is to be stored."""
    contents = [order.content for order in World.of(StoreFrame, effects)]
    assert all(isinstance(content, ResponseDraft) for content in contents)
    return [content.target for content in contents if isinstance(content, ResponseDraft)]


def test_more_urgent_alert_takes_the_panel_and_the_less_urgent_waits(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST), world.alert_from(CAFE, 9, AlertKind.ATTACK))
    assert (("ATTACK",), "1 of 2 ▲Seen ►Coming") == (world.screen.headline, world.screen.lines[1])

    world.do(world.alert_from(CAFE, 10, AlertKind.THEFT))
    assert ("ATTACK",) == world.screen.headline


def test_everybody_gets_a_turn_and_the_never_shown_first(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ATTACK))
    world.do(world.alert_from(CAFE, 9, AlertKind.THEFT), world.alert_from(BOOTS, 6, AlertKind.ASSIST))
    faces = [world.screen.headline[0]]
    for _ in range(5):
        world.live(5_000)
        faces.append(world.screen.headline[0])

    assert ["ATTACK", "ASSIST", "THEFT", "ATTACK", "ASSIST", "THEFT"] == faces


def test_button_pressed_just_after_one_alert_took_anothers_place_is_ignored(world: World) -> None:
    """It may have been meant for the other."""
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.live(2_000)
    world.do(world.alert_from(CAFE, 9, AlertKind.ATTACK))
    assert [] == world.of(StoreFrame, world.tap(Button.RESPONDING, held_ms=100))

    world.live(600)
    assert [FrameId(CAFE, 9)] == targets(world.tap(Button.RESPONDING))


def test_first_alert_may_be_answered_at_once(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))

    assert 1 == len(world.of(StoreFrame, world.tap(Button.SEEN, held_ms=30)))


def test_our_own_undelivered_alert_goes_before_a_neighbours(world: World) -> None:
    world.hold(Button.ATTACK)
    done = world.do(world.alert_from(BOOTS, 5))
    assert "sending" == world.face
    assert [] == world.of(PlaySound, done), "a sound without its face would be taken for our own"

    world.live(3_000)
    assert "undelivered" == world.face
    world.do(world.receipt(1))
    world.live(5_000)
    assert "neighbour" == world.face
    assert ["00000011-5"] == world.shown()


def test_our_own_settled_alert_and_a_neighbours_take_turns(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.do(world.alert_from(BOOTS, 5))
    faces = [world.face]
    for _ in range(3):
        world.live(5_000)
        faces.append(world.face)
    assert ["received", "neighbour", "received", "neighbour"] == faces

    world.do(world.ack(1))
    assert "answered" == world.face, "news of our own comes at once"


def test_response_counts_for_the_only_alert_while_the_panel_tells_of_our_own(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.alert_from(BOOTS, 5))
    world.live(11_000)
    assert "received" == world.face

    assert [OPENED] == targets(world.tap(Button.SEEN))


@pytest.mark.parametrize("end", ["closed", "cancelled"])
def test_what_is_over_at_our_own_place_keeps_nobody_waiting(world: World, end: str) -> None:
    """A live attack next door is not told of four seconds later because ours has just ended."""
    world.hold(Button.ATTACK)
    world.after(300, world.receipt(1))
    if end == "closed":
        world.after(300, world.ack(1, AnswerState.CLOSED))
    else:
        world.hold(Button.CANCEL)
    assert end == world.face

    world.after(100, world.alert_from(BOOTS, 5))

    assert "neighbour" == world.face
    assert end in [s.face for s in shown_screens(world, 10_000)], "and ours has its turn again"


def shown_screens(world: World, wait_ms: int) -> list[Any]:
    return [order.screen for order in world.of(ShowScreen, world.live(wait_ms))]
