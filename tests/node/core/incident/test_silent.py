"""N4: a silent attack is seen and heard by nobody but who knows where to look."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button, Part
from node.core.effects import PlaySound, SetLed, ShowScreen
from node.core.events import ClockRead, Event, LinkDown, PartFailed
from node.core.screens import Dots, Face, Screen
from tests.support.node_world import World
from wire.ids import NodeId
from wire.kinds import AlertKind, AnswerState

OURS, BOOTS = NodeId(0x10), NodeId(0x11)


def idle_of(screen: Screen) -> Screen:
    """The face without what is allowed to differ."""
    return replace(screen, face=Face.READY, dots=Dots.NONE)


def test_whole_silent_attack_changes_dots_only(silent: World) -> None:
    idle = silent.screen
    silent.log.clear()
    dots = []
    silent.hold(Button.ATTACK)
    dots.append(silent.screen.dots)
    for event in (
        silent.puback(1),
        silent.receipt(1),
        silent.ack(1),
        silent.ack(1, AnswerState.ON_THE_WAY),
        silent.response_from(BOOTS, 3, 1),
        silent.ack(1, AnswerState.CLOSED),
    ):
        silent.do(event)
        dots.append(silent.screen.dots)

    assert ["saved", "saved", "received", "answered", "answered", "answered", "none"] == dots
    assert {idle} == {idle_of(order.screen) for order in silent.of(ShowScreen, silent.log)}
    assert [] == silent.of(PlaySound, silent.log)
    assert [] == silent.of(SetLed, silent.log)
    assert silent.alert_on_disk(1).silent


def test_undelivered_silent_attack_is_a_dash(silent: World) -> None:
    silent.hold(Button.ATTACK)
    silent.live(3_000)

    assert (Face.SILENT, Dots.UNDELIVERED) == (silent.screen.face, silent.screen.dots)
    assert [] == silent.of(PlaySound, silent.log)
    assert 1 == len(silent.facts("undelivered"))


def test_silent_attack_that_the_disk_refused_is_a_dash(silent: World) -> None:
    """N4: the dots alone tell of a disk that first refuses at the attack itself; no sound."""
    silent.disk_full = True
    silent.hold(Button.ATTACK)

    assert Dots.UNDELIVERED == silent.screen.dots
    assert [] == silent.of(PlaySound, silent.log)


def test_nothing_shows_before_it_is_saved(silent: World) -> None:
    silent.disk_hangs = True
    silent.hold(Button.ATTACK)
    silent.after(3_000)

    assert (Face.READY, Dots.NONE) == (silent.screen.face, silent.screen.dots)


def test_attack_button_let_go_too_soon_gives_no_hint(silent: World) -> None:
    silent.tap(Button.ATTACK, held_ms=500)

    assert "ready" == silent.face


def test_silent_upgrade_of_an_open_assist_goes_back_to_the_idle_face(silent: World) -> None:
    silent.tap(Button.ASSIST)
    silent.do(silent.receipt(1))
    assert "received" == silent.face

    silent.hold(Button.ATTACK)
    assert (Face.SILENT, Dots.SAVED) == (silent.screen.face, silent.screen.dots)
    assert (True, 1) == (silent.alert_on_disk(2).silent, silent.alert_on_disk(2).incident)


def test_other_presses_during_it_are_silent_too(silent: World) -> None:
    silent.hold(Button.ATTACK)
    silent.live(70_000)
    silent.log.clear()
    silent.tap(Button.ASSIST)
    silent.tap(Button.TEST)

    assert [True, True, True] == [alert.silent for alert in silent.alerts_on_disk()]
    assert "silent" == silent.face
    assert [] == silent.of(PlaySound, silent.log)


def test_news_of_an_older_assist_makes_no_sound_during_it() -> None:
    world = World(replace(World().settings, is_attack_silent=True))
    world.start()
    world.tap(Button.ASSIST)
    world.after(70_000)
    world.hold(Button.ATTACK)
    world.log.clear()
    world.online()
    world.do(world.receipt(1, is_late=True), world.ack(1))

    assert [1, 2] == [alert.incident for alert in world.alerts_on_disk()]
    assert [] == world.of(PlaySound, world.log)
    assert {"silent"} == {order.screen.face.value for order in world.of(ShowScreen, world.log)}


def test_assist_alone_is_not_silent(silent: World) -> None:
    silent.tap(Button.ASSIST)

    assert "sending" == silent.face
    assert not silent.alert_on_disk(1).silent


def test_neighbours_wait_until_it_is_over(silent: World) -> None:
    silent.hold(Button.ATTACK)
    silent.do(silent.receipt(1))
    silent.log.clear()
    silent.do(silent.alert_from(BOOTS, 5))
    silent.live(20_000)
    assert "silent" == silent.face
    assert [] == silent.of(PlaySound, silent.log)

    silent.do(silent.ack(1, AnswerState.CLOSED))
    assert "neighbour" == silent.face
    assert ["00000011-5"] == silent.shown()


def test_neighbour_that_waited_for_more_than_a_minute_is_shown_without_sound_or_inversion(silent: World) -> None:
    silent.hold(Button.ATTACK)
    silent.do(silent.receipt(1), silent.alert_from(BOOTS, 5))
    silent.live(70_000)
    silent.log.clear()
    silent.do(silent.ack(1, AnswerState.CLOSED))

    assert "framed" == silent.screen.emphasis
    assert [] == silent.of(PlaySound, silent.log)


def test_neighbour_that_is_on_the_panel_stays_there_with_the_dots(silent: World) -> None:
    """A face that vanishes at the moment of the press would tell of it."""
    silent.do(silent.alert_from(BOOTS, 5, AlertKind.THEFT))
    before = silent.screen
    silent.hold(Button.ATTACK)

    assert replace(before, dots=Dots.SAVED) == silent.screen


def test_cancel_keeps_the_silence(silent: World) -> None:
    """It may have been forced."""
    silent.hold(Button.ATTACK)
    silent.do(silent.receipt(1))
    silent.hold(Button.CANCEL)
    silent.do(silent.receipt(2))

    assert "silent" == silent.face
    assert [] == silent.of(PlaySound, silent.log)


def test_silence_does_not_keep_neighbours_away_for_ever(silent: World) -> None:
    silent.hold(Button.ATTACK)
    silent.do(silent.receipt(1))
    silent.live(880_000)
    silent.do(silent.alert_from(BOOTS, 5))
    assert "silent" == silent.face

    silent.live(30_000)
    assert "neighbour" == silent.face


def test_silence_is_never_followed_by_a_face_of_its_own(silent: World) -> None:
    """Also not when the quarter of an hour is over."""
    silent.hold(Button.ATTACK)
    silent.live(1_200_000)
    silent.do(silent.receipt(1, is_late=True), silent.ack(1))

    faces = {order.screen.face.value for order in silent.of(ShowScreen, silent.log)}
    assert {"boot", "ready", "silent"} == faces
    assert [] == silent.of(PlaySound, silent.log)


def test_silence_survives_a_restart(silent: World) -> None:
    silent.hold(Button.ATTACK)
    silent.restart()
    silent.online()
    silent.live(10_000)

    assert (Face.SILENT, Dots.UNDELIVERED) == (silent.screen.face, silent.screen.dots)
    assert [] == silent.of(PlaySound, silent.log)


@pytest.mark.parametrize("event", [LinkDown("gone"), ClockRead(1_795_530_780, is_proven=True)])
def test_idle_face_stays_honest_during_it(silent: World, event: Event) -> None:
    silent.hold(Button.ATTACK)
    silent.do(event)
    lines = silent.screen.lines

    assert "Use radio or call 999" in lines or "14:3" in lines[0]


@pytest.mark.parametrize(("part", "said"), [(Part.STORE, "Storage fault"), (Part.CARD, "Memory card fault")])
def test_fault_that_a_silent_press_hid_is_told_the_moment_it_need_be_hidden_no_longer(
    silent: World, part: Part, said: str
) -> None:
    """Not at whatever happens next: nothing else is due then."""
    silent.live(3_300)
    silent.hold(Button.ATTACK)
    silent.do(silent.receipt(1), PartFailed(part, "input/output error"))
    pressed_ms = silent.own(1).pressed_ms
    assert pressed_ms is not None
    silent.live(pressed_ms + silent.settings.timing.silent_quiet_ms - 1 - silent.now_ms)
    assert said not in silent.screen.lines

    silent.after(1)
    assert said in silent.screen.lines
