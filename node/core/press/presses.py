"""From raw edges to gestures (N1): debounce, hold, chord, stuck. Owns the buttons, knows no alerts.

Everything counts at its own moment, in order, even if the program was busy and hears of it late: a hold that was
complete before the release, or a tap between two looks at the clock. The rest of a bounce, heard of after its press has
counted, is part of that press.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from node.core.controls import Button
from node.core.events import PinChanged
from node.core.settings import Settings
from node.core.state import Buttons, Press
from node.core.table import BUTTON, ButtonInput, ButtonPhase, after

_DOUBTS: Final = frozenset(
    {ButtonPhase.CLOSING, ButtonPhase.OPENING, ButtonPhase.SPENT_OPENING, ButtonPhase.STUCK_OPENING}
)
_HELD: Final = frozenset({Button.ATTACK, Button.CANCEL})
"""Buttons that must be held for ``hold_ms``; the others act when they go down."""
_DEBOUNCED_DOWN: Final = frozenset({ButtonPhase.DOWN, ButtonPhase.OPENING})


class Wish(StrEnum):
    """What a finger meant."""

    ATTACK = "attack"
    ASSIST = "assist"
    SEEN = "seen"
    RESPONDING = "responding"
    CANCEL = "cancel"
    TEST = "test"
    ATTACK_TOO_SHORT = "attack too short"
    CANCEL_TOO_SHORT = "cancel too short"


_WISHES: Final = {
    Button.ATTACK: Wish.ATTACK,
    Button.ASSIST: Wish.ASSIST,
    Button.SEEN: Wish.SEEN,
    Button.RESPONDING: Wish.RESPONDING,
    Button.CANCEL: Wish.CANCEL,
    Button.TEST: Wish.TEST,
}
_TOO_SHORT: Final = {Button.ATTACK: Wish.ATTACK_TOO_SHORT, Button.CANCEL: Wish.CANCEL_TOO_SHORT}


class Gesture(Struct, frozen=True):
    """A wish, and when it was complete."""

    wish: Wish
    at_ms: int


def edge(buttons: Buttons, settings: Settings, event: PinChanged, at_ms: int) -> Buttons:
    """Take one electrical edge. Call :func:`advance` up to ``at_ms`` first."""
    press = buttons[event.button]
    if event.is_initial and event.is_down:
        return _with(buttons, event.button, replace(_moved(press, ButtonInput.FOUND_DOWN), down_ms=at_ms))
    press = _in_doubt_again(press, settings, at_ms)
    moved = _moved(press, ButtonInput.EDGE_DOWN if event.is_down else ButtonInput.EDGE_UP)
    # Two edges the same way mean that one between them was lost: the level has not held since the first.
    is_doubt_renewed = press.phase is moved.phase is ButtonPhase.CLOSING and event.is_down
    if moved.phase in _DOUBTS and (moved.phase is not press.phase or is_doubt_renewed):
        moved = replace(moved, edge_ms=at_ms, is_spent=False)
    return _with(buttons, event.button, moved)


def _in_doubt_again(press: Press, settings: Settings, at_ms: int) -> Press:
    """The button as it was before its level settled, if this edge shows that the level had not held.

    The program was held up between two edges of one bounce. By the clock the first level had held, and the second edge,
    heard of late, would be a press of its own.
    """
    debounce_ms = settings.timing.debounce_ms
    if press.phase is ButtonPhase.DOWN and at_ms < press.down_ms + debounce_ms:
        return replace(press, phase=ButtonPhase.CLOSING)
    if press.phase is ButtonPhase.UP and press.is_spent and at_ms < press.edge_ms + debounce_ms:
        return replace(press, phase=ButtonPhase.SPENT_OPENING)
    return press


def advance(buttons: Buttons, settings: Settings, until_ms: int) -> tuple[Buttons, tuple[Gesture, ...]]:
    """Do everything that is due by ``until_ms``, in order of time."""
    gestures: list[Gesture] = []
    while True:
        due = _due(buttons, settings)
        if not due or due[0][0] > until_ms:
            return buttons, tuple(gestures)
        at_ms, button, happening = due[0]
        buttons, wish = _happen(buttons, settings, button, happening)
        if wish:
            gestures.append(Gesture(wish, at_ms))


def next_moment_ms(buttons: Buttons, settings: Settings) -> int | None:
    """When :func:`advance` next has something to do."""
    due = _due(buttons, settings)
    return due[0][0] if due else None


def _due(buttons: Buttons, settings: Settings) -> list[tuple[int, Button, ButtonInput]]:
    found: list[tuple[int, Button, ButtonInput]] = []
    for button, press in buttons.items():
        if press.phase is ButtonPhase.UP:
            continue
        if press.phase in _DOUBTS:
            found.append((press.edge_ms + settings.timing.debounce_ms, button, ButtonInput.SETTLED))
        elif press.phase is ButtonPhase.DOWN:
            found.append((_fires_at_ms(buttons, button, settings), button, ButtonInput.FIRED))
        elif press.phase is ButtonPhase.SPENT:
            found.append((press.down_ms + settings.timing.stuck_ms, button, ButtonInput.TOO_LONG))
    return sorted(found)


def _fires_at_ms(buttons: Buttons, button: Button, settings: Settings) -> int:
    """When this button, debounced down and not yet spent, fires if nothing else happens."""
    press, timing = buttons[button], settings.timing
    settled_ms = press.down_ms + timing.debounce_ms
    if button in _HELD:
        return max(press.down_ms + timing.hold_ms, settled_ms)
    if button is not Button.ASSIST or not settings.is_chord_enabled:
        return settled_ms
    window_ms = press.down_ms + timing.chord_ms
    attack = buttons[Button.ATTACK]
    if attack.phase is ButtonPhase.CLOSING and abs(attack.edge_ms - press.down_ms) < timing.chord_ms:
        # It may turn out to be a chord; that is known when the attack button has settled.
        return max(window_ms, attack.edge_ms + timing.debounce_ms + 1)
    if attack.phase is ButtonPhase.UP:
        return max(window_ms, settled_ms)
    return settled_ms  # Attack has been down for too long to be one half of a chord.


def _happen(
    buttons: Buttons, settings: Settings, button: Button, happening: ButtonInput
) -> tuple[Buttons, Wish | None]:
    press = buttons[button]
    moved = _moved(press, happening)
    if happening is ButtonInput.SETTLED and press.phase is ButtonPhase.CLOSING:
        buttons = _with(buttons, button, replace(moved, down_ms=press.edge_ms))
        if _is_chord(buttons, settings):
            for half in (Button.ATTACK, Button.ASSIST):
                buttons = _with(buttons, half, _moved(buttons[half], ButtonInput.FIRED))
            return buttons, Wish.ATTACK
        return buttons, None
    if happening is ButtonInput.SETTLED:
        moved = replace(moved, is_spent=press.phase is not ButtonPhase.OPENING or button not in _HELD)
    buttons = _with(buttons, button, moved)
    if happening is ButtonInput.FIRED:
        return buttons, _WISHES[button]
    if press.phase is ButtonPhase.OPENING:  # Released before it fired.
        # Of the tapped buttons only assist waits: its release shows that no chord was meant.
        return buttons, _TOO_SHORT.get(button, _WISHES[button])
    return buttons, None


def _is_chord(buttons: Buttons, settings: Settings) -> bool:
    attack, assist = buttons[Button.ATTACK], buttons[Button.ASSIST]
    return (
        settings.is_chord_enabled
        and attack.phase in _DEBOUNCED_DOWN
        and assist.phase in _DEBOUNCED_DOWN
        and abs(attack.down_ms - assist.down_ms) < settings.timing.chord_ms
    )


def _moved(press: Press, happening: ButtonInput) -> Press:
    return replace(press, phase=after(BUTTON, press.phase, happening))


def _with(buttons: Buttons, button: Button, press: Press) -> Buttons:
    return MappingProxyType({**buttons, button: press})
