"""A broker that brings statuses and nothing that has QoS 1 (N11): the node connects anew."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.effects import ConnectAnew, Effect
from node.core.events import Event, IncidentReceived, LinkDown, LinkUp
from node.core.table import PathPhase
from tests.support.members import BOOTS, directory, sender
from tests.support.node_world import World
from tests.support.signing_central import Signing
from wire.ids import CENTRAL


@pytest.fixture
def world() -> World:
    """A node whose directory says that central signs."""
    made = World()
    made.start(known=directory(2, central=replace(sender(CENTRAL, "Central", ""), signs=True)))
    made.do(LinkUp())
    return made


@pytest.fixture
def central(world: World) -> Signing:
    """It has answered the node once."""
    made = Signing(world)
    world.do(made.answer(), made.status("pcso"))
    return made


def is_proven(world: World) -> bool:
    return world.state.central.path is PathPhase.PROVEN


def connected_anew(world: World, central: Signing, minutes: int, *said: Event) -> int:
    """How often, while statuses and ``said`` come every ten seconds."""
    done: list[Effect] = []
    for _ in range(minutes * 6):
        done += world.after(10_000, central.status("pcso"), *said)
    return len(world.of(ConnectAnew, done))


def test_we_connect_anew_while_statuses_come_and_nothing_with_qos_1(world: World, central: Signing) -> None:
    """As with a Mosquitto that believes it has sent us all that it had (N11); not before each question had its time."""
    assert 0 == connected_anew(world, central, 1)
    assert 1 == connected_anew(world, central, 1)
    world.do(LinkDown("broken off"))
    world.do(LinkUp())
    world.after(1_000, central.answer())
    assert is_proven(world)
    assert 0 == connected_anew(world, central, 1)


def test_we_keep_a_connection_that_brings_late_answers_or_states(world: World, central: Signing) -> None:
    """Central is slow then, and the broker not to blame."""
    world.after(60_000)
    late = central.answer()
    assert 0 == connected_anew(world, central, 10, late)
    state = IncidentReceived(world.incident_state(BOOTS, 1), is_signed=True)
    assert 0 == connected_anew(world, central, 10, state)
    assert connected_anew(world, central, 10) > 1


def test_we_keep_a_connection_without_statuses(world: World, central: Signing) -> None:
    """Central is gone: no connection brings it back."""
    assert [] == world.of(ConnectAnew, world.after(600_000))
