# ruff: noqa: ANN401  # the bench lives in conftest.py, which cannot be imported
"""N3, N4, N8: what the presser is told while the radio carries the alert."""

from __future__ import annotations

from typing import Any

import pytest

from node.core import lifecycle
from node.core.controls import Button, LedPattern, SoundPattern
from node.core.effects import PlaySound, ShowScreen
from node.core.events import Ticked
from node.core.screens import Dots, Face
from node.core.table import Phase
from node.core.turn import Turn
from wire.kinds import AnswerState


def radio_takes(world: Any, counter: int) -> None:
    """What the radio's rules say when they take an alert."""
    turn = Turn(world.state, world.now_ms)
    lifecycle.on_air(turn, counter)
    world.state = turn.state
    world.do(Ticked())


def no_receipt(world: Any, counter: int) -> None:
    """What they say when it has had its first chance."""
    turn = Turn(world.state, world.now_ms)
    lifecycle.overdue(turn, counter)
    world.state = turn.state
    world.log.extend(turn.effects())
    world.do(Ticked())


def on_the_air(world: Any, button: Button = Button.ATTACK) -> None:
    world.hold(button)
    radio_takes(world, world.counter)


def test_on_air_is_told_as_trying_with_the_seconds_since_the_press(offline: Any) -> None:
    """N3: the radio is a way, not a receipt; the seconds go on by themselves."""
    offline.tap(Button.ASSIST)
    offline.after(500)
    radio_takes(offline, 1)

    assert (Face.STORED, ("TRYING",)) == (offline.screen.face, offline.screen.headline)
    assert ("Not received yet", "By radio now      0 s") == offline.screen.lines
    assert (LedPattern.SENDING, Phase.ON_AIR) == (offline.state.led, offline.state.incidents.get(1).phase)
    offline.log.clear()
    offline.after(1_000)
    assert ["By radio now      1 s"] == [order.screen.lines[1] for order in offline.of(ShowScreen, offline.log)]
    assert "00000010-1" == offline.screen.concerns


def test_no_receipt_after_the_radio_leads_to_undelivered_once(offline: Any) -> None:
    """N3: and a further try of the radio does not lead back to hope."""
    on_the_air(offline)
    no_receipt(offline, 1)
    assert (Face.UNDELIVERED, ("NOT", "DELIVERED")) == (offline.screen.face, offline.screen.headline)
    assert SoundPattern.UNDELIVERED is offline.state.sounding.pattern

    radio_takes(offline, 1)
    no_receipt(offline, 1)
    assert Face.UNDELIVERED is offline.screen.face
    assert 1 == len(offline.facts("undelivered"))


@pytest.mark.parametrize("is_overdue", [False, True])
def test_receipt_leads_out_of_both(offline: Any, *, is_overdue: bool) -> None:
    on_the_air(offline)
    if is_overdue:
        no_receipt(offline, 1)
    offline.do(offline.receipt(1))

    assert Face.RECEIVED is offline.screen.face
    assert SoundPattern.CONFIRM is offline.state.sounding.pattern


def test_an_answer_leads_out_without_a_receipt(offline: Any) -> None:
    """A person's word proves that it arrived; over a lossy radio it may overtake the receipt."""
    on_the_air(offline)
    offline.do(offline.ack(1, AnswerState.ON_THE_WAY))

    assert Face.ON_THE_WAY is offline.screen.face


def test_pressing_again_on_the_air_is_a_new_press(offline: Any) -> None:
    """N2: what the radio does with the assist says nothing of the attack after it."""
    offline.tap(Button.ASSIST)
    radio_takes(offline, 1)
    offline.hold(Button.ATTACK)
    assert ("TRYING", "Saved, no network") == (offline.screen.headline[0], offline.screen.lines[1])

    radio_takes(offline, 1)
    assert "Saved, no network" == offline.screen.lines[1], "the assist is not what the presser waits for"
    radio_takes(offline, 2)
    assert offline.screen.lines[1].startswith("By radio now")


def test_silent_attack_on_the_air_shows_nothing_new(silent: Any) -> None:
    """N4: the dots stay *saved*; no sound, and no second screen however long it takes."""
    silent.hold(Button.ATTACK)
    silent.log.clear()
    radio_takes(silent, 1)
    assert Dots.SAVED is silent.screen.dots
    silent.after(800)

    assert Phase.ON_AIR is silent.state.incidents.get(1).phase
    assert [] == silent.of(ShowScreen, silent.log)
    assert [] == silent.of(PlaySound, silent.log)
