"""N2, N5: another member's alert that is pressed again, after somebody has answered or closed it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.core.controls import SoundPattern
from node.core.effects import PlaySound
from node.core.events import LinkDown, LinkUp, SyncAnswered
from tests.support.node_world import World
from wire.ids import NodeId
from wire.kinds import AlertKind
from wire.messages import SyncAnswer

BOOTS = NodeId(0x11)

pytestmark = pytest.mark.finding(6)


def named_open(world: World, revision: int, covers: int) -> SyncAnswered:
    """Central's answer to a sync: that incident is open."""
    opened_at = world.wall() - timedelta(seconds=20)
    states = (world.incident_state(BOOTS, 5, revision=revision, opened_at=opened_at),)
    return world.answers(SyncAnswer(boot_id="central-1", counter_floor=0, incidents=states, revision=covers))


@pytest.fixture
def shown(world: World) -> World:
    """Its attack is on our panel."""
    world.do(world.alert_from(BOOTS, 5, AlertKind.ATTACK), world.says(BOOTS, 5, revision=3))
    assert "neighbour" == world.face
    return world


def test_state_alone_brings_it_back_and_it_sounds(shown: World) -> None:
    """The press itself was lost with the broker."""
    shown.after(10_000, shown.says(BOOTS, 5, "closed", revision=6))
    assert "ready" == shown.face
    done = shown.after(5_000, shown.says(BOOTS, 5, revision=7))

    assert "neighbour" == shown.face
    assert [PlaySound(SoundPattern.ATTACK)] == shown.of(PlaySound, done)


def test_closing_that_the_second_press_overtook_does_not_hide_it(shown: World) -> None:
    """Alerts come by a connection of their own."""
    shown.after(20_000, shown.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5))
    shown.do(shown.says(BOOTS, 5, "closed", revision=6), shown.says(BOOTS, 5, revision=7))

    assert "neighbour" == shown.face


def test_replayed_closing_hides_it_until_central_is_asked(shown: World) -> None:
    closing = shown.says(BOOTS, 5, "closed", revision=6)
    shown.after(10_000, closing)
    shown.after(5_000, shown.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5), closing)
    shown.do(named_open(shown, revision=7, covers=7))

    assert "neighbour" == shown.face


def test_unit_that_was_cut_off_meanwhile_learns_it_from_central(shown: World) -> None:
    shown.after(5_000, LinkDown("cut"))
    shown.after(20_000, LinkUp())
    shown.do(shown.says(BOOTS, 5, "closed", revision=6))
    shown.do(named_open(shown, revision=7, covers=7))

    assert "neighbour" == shown.face


def test_older_open_state_brings_no_closed_alert_back(shown: World) -> None:
    before = shown.says(BOOTS, 5, revision=4)
    shown.after(10_000, shown.says(BOOTS, 5, "closed", revision=6))
    shown.do(before)
    assert "ready" == shown.face

    # Written before the closing, and overtaken by it.
    shown.do(named_open(shown, revision=4, covers=5))
    assert "ready" == shown.face


def test_closing_after_that_takes_it_off_again(shown: World) -> None:
    shown.after(10_000, shown.says(BOOTS, 5, "closed", revision=6))
    shown.do(shown.says(BOOTS, 5, revision=7))
    shown.do(shown.says(BOOTS, 5, "closed", revision=8))

    assert "ready" == shown.face


def test_answer_to_the_first_press_is_none_to_the_second(shown: World) -> None:
    """The two buttons are offered again, before and after central has said that it knows both presses."""
    first = shown.answer(at=shown.wall(), press="00000011-5", after_s=3)
    shown.do(shown.says(BOOTS, 5, "answered", revision=4, answer=first))
    assert "ANSWERED PCSO J Patel" == shown.screen.lines[1]
    shown.after(20_000, shown.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5))
    assert "▲Seen ►Coming" in shown.screen.lines[1]

    shown.do(shown.says(BOOTS, 5, "answered", revision=5, answer=first))
    assert "▲Seen ►Coming" in shown.screen.lines[1]


def test_who_is_on_the_way_still_comes_after_the_second_press(shown: World) -> None:
    coming = shown.answer(at=shown.wall(), press="00000011-5", after_s=3)
    shown.do(shown.says(BOOTS, 5, "on-the-way", revision=4, answer=coming))
    shown.after(20_000, shown.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5))

    assert "COMING PCSO J Patel" == shown.screen.lines[1]


@pytest.fixture
def shown_anew(shown: World) -> World:
    """Closed, and pressed again: that press is on our panel, and has sounded."""
    shown.after(10_000, shown.says(BOOTS, 5, "closed", revision=6))
    done = shown.after(5_000, shown.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5))
    done += shown.do(shown.says(BOOTS, 5, revision=7))
    assert [PlaySound(SoundPattern.ATTACK)] == shown.of(PlaySound, done)
    return shown


def test_after_a_restart_it_is_back_without_sound(shown_anew: World) -> None:
    shown_anew.after(15_000)
    shown_anew.restart(wall=shown_anew.wall())
    shown_anew.do(LinkUp())
    done = shown_anew.do(named_open(shown_anew, revision=7, covers=7))

    assert ("neighbour", []) == (shown_anew.face, shown_anew.of(PlaySound, done))


def test_after_its_quarter_of_an_hour_it_does_not_come_back(shown_anew: World) -> None:
    shown_anew.live(910_000)
    assert "ready" == shown_anew.face
    shown_anew.do(named_open(shown_anew, revision=7, covers=7))

    assert "ready" == shown_anew.face
