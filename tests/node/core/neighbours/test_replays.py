"""N9, N13: what was said once can be kept, and said again when nobody remembers it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.events import FrameReceived, Ticked
from node.core.neighbours.inbox import INBOX_TURN_MS
from tests.support.node_world import World
from wire.ids import NodeId
from wire.kinds import Path

BOOTS = NodeId(0x11)
DAY_S = 86_400


def by_radio(event: FrameReceived) -> FrameReceived:
    return replace(event, topic=None, path=Path.RADIO)


def forgotten(world: World) -> None:
    """Two days pass: the inbox lets go of everything."""
    for _ in range(2):
        inbox = world.state.inbox
        world.state = replace(world.state, inbox=replace(inbox, turned_ms=world.now_ms - INBOX_TURN_MS))
        world.after(1_000, Ticked())
    assert 0 == len(world.state.inbox.recent) + len(world.state.inbox.older)


@pytest.mark.parametrize(("at_s", "counter", "is_late"), [(0, 5, True), (0, 4, True), (0, 6, False), (None, 4, False)])
def test_undated_frame_that_the_inbox_has_forgotten_is_late(
    world: World, at_s: int | None, counter: int, *, is_late: bool
) -> None:
    """Its sender has said something later; one that bears its time is judged by that."""
    world.do(by_radio(world.alert_from(BOOTS, 5, at_s=0)))
    forgotten(world)
    world.do(by_radio(world.alert_from(BOOTS, counter, at_s=at_s)))

    assert is_late is next(n for n in world.state.neighbours if n.incident.counter == counter).is_late


def test_frame_of_a_node_that_does_not_know_the_time_is_judged_by_its_number_after_a_restart(world: World) -> None:
    """Power and network are gone, and somebody says again what was said yesterday."""
    world.do(by_radio(world.alert_from(BOOTS, 5)), by_radio(world.alert_from(BOOTS, 7)))
    world.restart(wall=None)
    world.do(by_radio(world.alert_from(BOOTS, 6)), by_radio(world.alert_from(BOOTS, 8)))

    assert {6: True, 8: False} == {n.incident.counter: n.is_late for n in world.state.neighbours}


@pytest.mark.parametrize(("age_s", "is_taken"), [(DAY_S - 60, True), (DAY_S + 60, False)])
def test_frame_older_than_the_memory_is_not_shown_from_the_air(world: World, age_s: int, *, is_taken: bool) -> None:
    """By the network it comes late, and is told so: a broker is no stranger with a recorder."""
    at_s = int(world.wall().timestamp()) - age_s
    world.do(by_radio(world.alert_from(BOOTS, 8)))
    forgotten(world)
    world.do(by_radio(world.alert_from(BOOTS, 5, at_s=at_s)))
    assert is_taken is (5 in {n.incident.counter for n in world.state.neighbours})
    assert (not is_taken) is ("old on the air" in world.state.rejected)

    world.do(world.alert_from(BOOTS, 6, at_s=at_s))
    assert {6: True} == {n.incident.counter: n.is_late for n in world.state.neighbours if n.incident.counter == 6}


def test_press_with_a_new_number_is_shown_from_the_air_whatever_the_clocks_say(world: World) -> None:
    """N5: with a clock here, or there, that is wrong by days, somebody's press is late, and never refused."""
    at_s = int(world.wall().timestamp()) - 30 * DAY_S
    world.do(by_radio(world.alert_from(BOOTS, 5)))
    forgotten(world)
    world.do(by_radio(world.alert_from(BOOTS, 6, at_s=at_s)))

    assert {5: False, 6: True} == {n.incident.counter: n.is_late for n in world.state.neighbours}
