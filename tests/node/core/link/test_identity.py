"""N11: another unit with our identity is said on the panel and to central, with what to do."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from node.core.effects import PublishHealth
from node.core.events import LinkDown, LinkUp, SessionTaken
from tests.support.node_world import World

pytestmark = pytest.mark.finding(10)


def fights(world: World, seconds: int) -> None:
    """Every two seconds the other unit takes the link, and we take it back."""
    for _ in range(seconds // 2):
        world.do(SessionTaken(), LinkDown("another program connected with our certificate"))
        world.after(1_000, LinkUp(), world.status())
        world.after(1_000)


def test_second_unit_with_our_identity_is_told_on_the_panel_and_to_central(world: World) -> None:
    world.do(SessionTaken(), LinkDown("x"))
    assert world.screen.headline != ("DUPLICATE", "IDENTITY"), "once may be an engineer with a spare card"
    fights(world, 10)
    said = set()
    for _ in range(60):
        assert ("DUPLICATE", "IDENTITY") == world.screen.headline
        said.add(world.screen.lines)
        fights(world, 2)
    faults = world.of(PublishHealth, world.log)[-1].health.faults

    assert {("", "Tell co-ordinator"), ("", "Use radio or call 999")} == said
    assert ["identity"] == [fault.part for fault in faults if "DUPLICATE IDENTITY" in fault.detail]
    assert 1 == len(world.facts("duplicate_identity"))


def test_duplicate_is_over_ten_minutes_after_the_last_time(world: World) -> None:
    fights(world, 10)
    world.live(590_000)
    assert "duplicate" == world.face
    world.live(20_000)

    assert "ready" == world.face


def test_duplicate_leaves_the_panel_at_the_moment_that_it_is_over(world: World) -> None:
    fights(world, 10)
    world.live(597_999)
    assert "duplicate" == world.face

    world.after(1)
    assert "ready" == world.face


def test_sessions_taken_an_hour_apart_are_no_second_unit(world: World) -> None:
    for _ in range(3):
        fights(world, 2)
        world.live(3_600_000)

    assert ("READY",) == world.screen.headline


def test_second_unit_does_not_show_during_a_silent_attack(silent: World) -> None:
    """N4: what began after the press waits."""
    silent.hold(Button.ATTACK)
    fights(silent, 10)

    assert silent.screen.headline != ("DUPLICATE", "IDENTITY")


def test_second_unit_that_was_told_stays_told_during_a_silent_attack(silent: World) -> None:
    fights(silent, 10)
    silent.hold(Button.ATTACK)
    fights(silent, 10)

    assert ("DUPLICATE", "IDENTITY") == silent.screen.headline
