"""Shops that have pressed twice."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from tests.support.node_world import World


@pytest.fixture
def upgraded(world: World) -> World:
    """An assist, received; twenty seconds later it is an attack, which is not received yet."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.live(20_000)
    world.hold(Button.ATTACK)
    assert [1, 2] == list(world.stored)
    return world


@pytest.fixture
def lowered(world: World) -> World:
    """An attack that central does not get; five seconds later an assist of the same incident, which it gets first."""
    world.hold(Button.ATTACK)
    world.live(5_000)
    world.tap(Button.ASSIST)
    assert 1 == world.alert_on_disk(2).incident
    world.do(world.receipt(2))
    return world
