"""What the panels' page shows, as one small JSON value that is sent whole at each change."""

from __future__ import annotations

from typing import Final

import msgspec

from demo.board import words_of
from demo.panel.air import AirLine, RadioState, air_line, radio_state
from demo.program import Life, Program
from demo.shop import Premises
from demo.town import Town
from node.core.controls import Button, LedPattern, Part, SoundPattern

PARTS: Final = (Part.OLED, Part.BUTTONS, Part.SOUNDER, Part.LED)
BUTTONS: Final = {
    Button.ATTACK: ("Attack", "threat to a person: hold 1 second"),
    Button.ASSIST: ("Assist", "come and help: tap"),
    Button.SEEN: ("Seen", "a neighbour's alert"),
    Button.RESPONDING: ("Coming", "to help a neighbour"),
    Button.CANCEL: ("Cancel", "hold 1 second"),
    Button.TEST: ("Test", "when quiet"),
}
LED_WORDS: Final = {
    LedPattern.OFF: "off",
    LedPattern.READY: "steady: ready",
    LedPattern.SENDING: "fast blink: sending",
    LedPattern.RECEIVED: "slow blink: received",
    LedPattern.ANSWERED: "nearly steady: answered",
    LedPattern.UNDELIVERED: "triple flash: not delivered",
    LedPattern.FAULT: "occasional flash: fault",
}
SOUND_WORDS: Final = {
    SoundPattern.OFF: "quiet",
    SoundPattern.ATTACK: "attack: 3 + 2 pulses",
    SoundPattern.ASSIST: "assist: 3 pulses",
    SoundPattern.NOTICE: "notice: 1 pulse",
    SoundPattern.CONFIRM: "confirm: rising pair",
    SoundPattern.UNDELIVERED: "not delivered: falling pair",
}
LIFE_WORDS: Final = {
    Life.RUNNING: "running",
    Life.STOPPED: "stopped",
    Life.KILLED: "killed",
    Life.DIED: "stopped unexpectedly",
}


class PanelState(msgspec.Struct, frozen=True, kw_only=True):
    """One premises' front panel. ``picture`` changes with each new picture of the OLED; 0: it has none."""

    picture: int
    face: str
    words: str
    led: str
    led_words: str
    sound: str
    sound_words: str
    held: tuple[str, ...]
    failed: tuple[str, ...]
    is_plugged_in: bool
    life: str
    life_words: str
    radio: RadioState | None = None


class ProgramState(msgspec.Struct, frozen=True):
    """The broker or central."""

    life: str
    life_words: str


class TownState(msgspec.Struct, frozen=True):
    """The whole page. ``orders_done`` counts the browsers' orders carried out before this state."""

    orders_done: int
    panels: dict[str, PanelState]
    programs: dict[str, ProgramState]
    happened: tuple[str, ...]
    """The last sentences, newest first."""
    air: AirLine | None = None


def state_of(town: Town, happened: tuple[str, ...], orders_done: int = 0) -> TownState:
    """As of now."""
    return TownState(
        orders_done=orders_done,
        panels={premises.node: _panel(town, premises) for premises in town.everywhere},
        programs={
            program.name: ProgramState(program.life.value, LIFE_WORDS[program.life])
            for program in programs_beside(town)
        },
        happened=happened,
        air=air_line(town),
    )


def programs_beside(town: Town) -> tuple[Program, ...]:
    """The programs other than the premises' nodes."""
    air = () if town.air is None else (town.air,)
    gateway = () if town.gateway is None else (town.gateway.program,)
    office = () if town.office is None else town.office.programs
    papers = () if town.office is None or not town.plan.has_papers else (town.office.papers,)
    phones = () if town.phones is None else (town.phones.notifier,)
    return (town.central, town.broker, *air, *gateway, *phones, *office, *papers)


def _panel(town: Town, premises: Premises) -> PanelState:
    view = premises.board.view
    life = premises.program.life
    return PanelState(
        picture=len(premises.board.looks) if view.png else 0,
        face=view.face,
        words=words_of(view),
        led=view.led,
        led_words=LED_WORDS[LedPattern(view.led)],
        sound=view.sound,
        sound_words=SOUND_WORDS[SoundPattern(view.sound)],
        held=tuple(sorted(premises.board.held)),
        failed=tuple(sorted(premises.board.failed)),
        is_plugged_in=premises.cable.is_plugged_in,
        life=life.value,
        life_words=LIFE_WORDS[life],
        radio=radio_state(town, premises),
    )
