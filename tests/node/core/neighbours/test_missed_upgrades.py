# ruff: noqa: ANN401  # the bench is a fixture
"""N2, N5: what was shown as an assist and has become an attack is shown again, whichever way the upgrade was missed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from node.core.controls import SoundPattern
from node.core.effects import PlaySound
from node.core.events import ScreenShown, SyncAnswered
from tests.support.node_world import World
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, Priority
from wire.messages import SyncAnswer

BOOTS = NodeId(0x11)
OPENED = FrameId(BOOTS, 5)

pytestmark = pytest.mark.finding(8)


def synced(world: World, kind: str, **fields: Any) -> SyncAnswered:
    """Central's answer to a sync: one open incident."""
    states = (world.incident_state(BOOTS, 5, kind=kind, revision=9, **fields),)
    return world.answers(SyncAnswer(boot_id="central-1", counter_floor=0, incidents=states))


def test_upgrade_missed_while_down_is_shown_and_heard_after_the_start(world: World) -> None:
    """The broker was restarted as well, so the frame of the upgrade never comes: central's answer is all there is."""
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.restart()
    world.online()
    done = world.do(synced(world, "attack", opened_at=world.wall() - timedelta(seconds=20)))

    assert ("neighbour", ("ATTACK",)) == (world.face, world.screen.headline)
    assert [PlaySound(SoundPattern.ATTACK)] == world.of(PlaySound, done)


def test_upgrade_missed_after_the_alert_left_the_panel_is_shown(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.live(world.settings.timing.neighbour_shown_ms + 1_000)
    assert "ready" == world.face
    world.do(world.says(BOOTS, 5, kind="attack", revision=9))

    assert ("neighbour", ("ATTACK",)) == (world.face, world.screen.headline)


def test_upgrade_that_was_taken_in_and_not_drawn_before_a_crash_is_shown_after_it(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.panel_answers = False
    world.do(world.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5))
    world.panel_answers = True
    world.restart()
    world.online()
    world.do(synced(world, "attack"))

    assert ("neighbour", ("ATTACK",)) == (world.face, world.screen.headline)


def test_upgrade_that_was_shown_comes_back_after_a_restart_unheard(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.do(world.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5))
    world.restart()
    world.online()
    done = world.do(synced(world, "attack"))

    assert ("neighbour", ("ATTACK",)) == (world.face, world.screen.headline)
    assert [] == world.of(PlaySound, done)


def test_upgrade_that_central_told_of_comes_back_after_a_restart_unheard(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.do(world.says(BOOTS, 5, kind="attack"))
    assert ("ATTACK",) == world.screen.headline
    world.restart()
    world.online()
    done = world.do(synced(world, "attack"))

    assert ("neighbour", ("ATTACK",)) == (world.face, world.screen.headline)
    assert [] == world.of(PlaySound, done)


def test_only_what_the_panel_confirms_counts_as_shown(world: World) -> None:
    """The pixels of the assist may be confirmed after central has told of the attack."""
    world.panel_answers = False
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST), world.says(BOOTS, 5, kind="attack"))
    world.do(ScreenShown(OPENED.text, "neighbour", Priority.P2))
    world.panel_answers = True
    world.restart()
    world.online()
    world.do(synced(world, "attack"))

    assert ("neighbour", ("ATTACK",)) == (world.face, world.screen.headline)
    assert ["shown", "upgrade_shown"] == [fact.fact for fact in world.facts() if "shown" in fact.fact]


def test_upgrade_of_the_same_urgency_is_not_heard_again(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.restart()
    world.online()
    done = world.do(synced(world, "disorder"))

    assert ("neighbour", ("DISORDER",)) == (world.face, world.screen.headline)
    assert [] == world.of(PlaySound, done)
