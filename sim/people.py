"""What people do in the simulation: press, at the level of the pins, and answer, at central's page."""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import Final

from central.core.view import Acknowledge, Action, AddNote, Close, Person, SetOnTheWay, StartDuty, UndoAcknowledge
from node.core.controls import Button
from node.core.events import AlertAsked
from sim.node_actor import SimNode
from sim.town import Town
from sim.truth import Press
from wire.kinds import AlertKind, LeftWhenAsked

STAFF: Final = (Person("pcso", "J Patel"), Person("cctv", "Sam O'Neill"), Person("duty-sergeant", "R Mwangi"))
GOING: Final = (STAFF[0], STAFF[2])
"""Those who can go out, whoever records it."""


class Gesture(StrEnum):
    """What a hand does to the buttons."""

    TAP_ASSIST = "tap-assist"
    HOLD_ATTACK = "hold-attack"
    CHORD = "chord"
    BRUSH = "brush"
    SHORT_ATTACK = "short-attack"
    CANCEL = "cancel"
    SEEN = "seen"
    RESPONDING = "responding"
    TEST = "test"


_MEANS: Final = {
    Gesture.TAP_ASSIST: AlertKind.ASSIST,
    Gesture.HOLD_ATTACK: AlertKind.ATTACK,
    Gesture.CHORD: AlertKind.ATTACK,
    Gesture.TEST: AlertKind.TEST,
}
_BUTTONS: Final = {
    Gesture.TAP_ASSIST: (Button.ASSIST,),
    Gesture.HOLD_ATTACK: (Button.ATTACK,),
    Gesture.CHORD: (Button.ATTACK, Button.ASSIST),
    Gesture.BRUSH: (Button.ATTACK,),
    Gesture.SHORT_ATTACK: (Button.ATTACK,),
    Gesture.CANCEL: (Button.CANCEL,),
    Gesture.SEEN: (Button.SEEN,),
    Gesture.RESPONDING: (Button.RESPONDING,),
    Gesture.TEST: (Button.TEST,),
}
_HELD_MS: Final = {
    Gesture.TAP_ASSIST: (60, 280),
    Gesture.HOLD_ATTACK: (1_100, 1_900),
    Gesture.CHORD: (400, 900),
    Gesture.BRUSH: (2, 12),
    Gesture.SHORT_ATTACK: (100, 800),
    Gesture.CANCEL: (1_100, 1_500),
    Gesture.SEEN: (80, 300),
    Gesture.RESPONDING: (80, 300),
    Gesture.TEST: (80, 300),
}
PERSONS: Final = 3
"""Few, so that some are reported twice."""
GESTURE_ROOM_MS: Final = 4_000
"""Room for one gesture and its effects; the next on the same buttons comes after it."""


def make_gesture(town: Town, node: SimNode, gesture: Gesture) -> None:
    """Move the buttons, bounces included; a whole press is recorded for the invariants."""
    timeline = town.timeline
    chance = timeline.chance
    low_ms, high_ms = _HELD_MS[gesture]
    held_ms = chance.randint(low_ms, high_ms)
    timeline.note(node.name, f"hand: {gesture} for {held_ms} ms")
    if not node.is_running:
        return
    kind = _MEANS.get(gesture)
    if kind is not None:
        # The longest wait before a press counts: bounce, debounce, and the chord's window.
        town.invariants.presses.append(Press(node.id, kind, timeline.now_ms, timeline.now_ms + held_ms + 500))
    if gesture is Gesture.CANCEL:
        town.invariants.cancelled(node.id)
    for at, button in enumerate(_BUTTONS[gesture]):
        lag_ms = at * chance.randint(0, 120)
        bounces = 0 if gesture is Gesture.BRUSH else chance.randint(0, 4)
        _swing(town, node, button, lag_ms, bounces, is_down=True)
        _swing(town, node, button, held_ms + lag_ms, bounces, is_down=False)


def report(town: Town, node: SimNode, chance: Random) -> None:
    """Somebody reports a person at the in-shop page: a breach, or a sighting."""
    kind = chance.choice((AlertKind.BREACH, AlertKind.SIGHTING))
    left = chance.choice(tuple(LeftWhenAsked)) if kind is AlertKind.BREACH else LeftWhenAsked.NOT_ASKED
    scheme = chance.choice(sorted(town.invariants.memberships[node.id]))
    town.timeline.note(node.name, f"page: {kind.slug} in scheme {scheme}")
    if node.is_running:
        now_ms = town.timeline.now_ms
        town.invariants.presses.append(Press(node.id, kind, now_ms, now_ms))
        node.ask(AlertAsked(f"{chance.getrandbits(128):032x}", kind, scheme, chance.randint(1, PERSONS), left))


def _swing(town: Town, node: SimNode, button: Button, at_ms: int, bounces: int, *, is_down: bool) -> None:
    for bounce in range(2 * bounces + 1):
        level = is_down if bounce % 2 == 0 else not is_down
        town.timeline.after(at_ms + bounce, lambda level=level: node.pin(button, is_down=level))  # type: ignore[misc]


def act_at_central(town: Town) -> None:
    """Someone on duty does something, sensible or not, to some incident."""
    central, chance = town.central, town.timeline.chance
    if not central.is_running:
        return
    by = chance.choice(STAFF)
    cards = [card for _, card in sorted(central.cards.items()) if card.state != "closed"]
    if not cards or chance.random() < 0.1:  # noqa: PLR2004 - now and then
        central.act(StartDuty(), by)
        return
    incident = chance.choice(cards).incident
    actions: tuple[Action, ...] = (
        Acknowledge(incident),
        Acknowledge(incident),
        UndoAcknowledge(incident),
        SetOnTheWay(incident, who=chance.choice(GOING)),
        AddNote(incident, "Camera 4 has them"),
        Close(incident, "Dealt with"),
    )
    action = chance.choice(actions)
    town.timeline.note("people", f"{by.name}: {type(action).__name__} {incident}")
    central.act(action, by)
