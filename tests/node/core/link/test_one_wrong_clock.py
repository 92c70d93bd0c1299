"""N13: one wrong clock, central's included, makes no live alert late and no late one live, and mutes nobody."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from node.core.controls import Button
from node.core.effects import PlaySound, StoreFrame
from node.core.events import CentralStatusReceived
from node.core.screens import Emphasis
from tests.support.node_world import World
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind
from wire.messages import CentralStatus

BOOTS = NodeId(0x11)
pytestmark = pytest.mark.finding(2)


def test_live_attack_is_live_though_centrals_clock_is_70_s_ahead(world: World) -> None:
    """Its sender and we have the right time; central's status says another."""
    status = world.status().status
    ahead = replace_at(status, timedelta(seconds=70))
    world.do(CentralStatusReceived(ahead))
    done = world.do(world.alert_from(BOOTS, 5))

    assert (Emphasis.INVERTED, "14:32 ▲Seen ►Coming") == (world.screen.emphasis, world.screen.lines[1])
    assert 1 == len(world.of(PlaySound, done))


def test_attack_that_waits_for_the_panel_sounds_and_can_be_answered_however_long_it_waits(offline: World) -> None:
    """Our own attack is not received, and has the panel for a minute."""
    offline.hold(Button.ATTACK)
    arrived_ms = offline.now_ms
    offline.do(offline.alert_from(BOOTS, 5))
    while offline.face != "neighbour":
        offline.after(100)

    assert 60_000 < offline.now_ms - arrived_ms
    assert offline.state.sounding is not None
    assert FrameId(BOOTS, 5) == offline.state.sounding.neighbour
    assert "14:32 ▲Seen ►Coming" == offline.screen.lines[1]


@pytest.mark.parametrize("kind", [AlertKind.ATTACK, AlertKind.ASSIST])
@pytest.mark.parametrize("age_s", [61, 899])
def test_late_attack_or_assist_under_a_quarter_of_an_hour_sounds_once_and_can_be_answered(
    world: World, kind: AlertKind, age_s: int
) -> None:
    done = world.do(world.alert_from(BOOTS, 5, kind, at_s=int(world.wall().timestamp()) - age_s))
    done += world.live(5_000)
    assert 1 == len(world.of(PlaySound, done))
    assert Emphasis.FRAMED == world.screen.emphasis
    assert any("LATE" in line for line in world.screen.lines)
    assert world.screen.lines[1].endswith(" ▲Seen ►Coming")

    assert 1 == len(world.of(StoreFrame, world.tap(Button.RESPONDING)))
    assert world.screen.lines[1].endswith(" You: coming")


@pytest.mark.parametrize(("kind", "age_s"), [(AlertKind.ATTACK, 901), (AlertKind.THEFT, 61), (AlertKind.SIGHTING, 61)])
def test_older_or_lesser_late_alert_is_quiet(world: World, kind: AlertKind, age_s: int) -> None:
    done = world.do(world.alert_from(BOOTS, 5, kind, at_s=int(world.wall().timestamp()) - age_s))

    assert [] == world.of(PlaySound, done)
    assert "LATE" == world.screen.lines[1][:4]


def replace_at(status: CentralStatus, by: timedelta) -> CentralStatus:
    return msgspec.structs.replace(status, at=status.at + by, expires_at=status.expires_at + by)
