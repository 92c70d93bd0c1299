"""Patterns of the LED and the sounder, as tables, and the thread that plays them.

Sounds are short pulses, never continuous, and end within 60 s. A passive piezo is driven with a square wave, which
is rich in harmonics and so audible to ears that no longer hear a sine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from node.core.controls import LedPattern, SoundPattern
from node.hw.errors import PartError

SOUND_MS_MAX: Final = 60_000
_STOP_WAIT_S: Final = 1.0


class Step(Struct, frozen=True):
    """One level for one time.

    Attributes:
        value: hertz for a sounder, 1 or 0 for an LED; 0 is off.
        duration_ms: ``None`` holds it until the next pattern.
    """

    value: int
    duration_ms: int | None


class Pattern(Struct, frozen=True):
    """Steps, once or over and over.

    Attributes:
        name: reported while it plays.
        limit_ms: ends by itself after this; ``None`` never.
    """

    name: str
    steps: tuple[Step, ...]
    is_repeated: bool = False
    limit_ms: int | None = None


def _pulses(tones_hz: tuple[int, ...], on_ms: int, gap_ms: int) -> tuple[Step, ...]:
    return tuple(chain.from_iterable((Step(tone_hz, on_ms), Step(0, gap_ms)) for tone_hz in tones_hz))


def _every(period_ms: int, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """``steps`` with a rest that fills ``period_ms``."""
    return (*steps, Step(0, period_ms - sum(step.duration_ms or 0 for step in steps)))


_THREE_AND_TWO: Final = (
    *_pulses((660, 880, 660), 140, 100),
    Step(0, 250),
    *_pulses((880, 660), 140, 100),
)


def _sound(pattern: SoundPattern, steps: tuple[Step, ...], *, is_repeated: bool = False) -> Pattern:
    return Pattern(pattern.value, steps, is_repeated, SOUND_MS_MAX)


def _led(pattern: LedPattern, *steps: Step) -> Pattern:
    return Pattern(pattern.value, steps, is_repeated=True)


SOUNDS: Final[Mapping[SoundPattern, Pattern]] = MappingProxyType(
    {
        SoundPattern.OFF: _sound(SoundPattern.OFF, (Step(0, None),)),
        # Priority 1: 3 + 2, 3 + 2 pulses every 5 s.
        SoundPattern.ATTACK: _sound(
            SoundPattern.ATTACK,
            _every(5_000, (*_THREE_AND_TWO, Step(0, 600), *_THREE_AND_TWO)),
            is_repeated=True,
        ),
        # Priority 2: three pulses every 15 s.
        SoundPattern.ASSIST: _sound(
            SoundPattern.ASSIST, _every(15_000, _pulses((660, 660, 660), 200, 200)), is_repeated=True
        ),
        # Priority 3: one pulse, once.
        SoundPattern.NOTICE: _sound(SoundPattern.NOTICE, _pulses((520,), 300, 0)),
        # A rising pair: confirmed.
        SoundPattern.CONFIRM: _sound(SoundPattern.CONFIRM, _pulses((660, 880), 80, 40)),
        # A falling pair, as for a lost feed, but more often: someone has to use the radio.
        SoundPattern.UNDELIVERED: _sound(
            SoundPattern.UNDELIVERED, _every(10_000, _pulses((440, 330, 440, 330), 250, 80)), is_repeated=True
        ),
    }
)

LEDS: Final[Mapping[LedPattern, Pattern]] = MappingProxyType(
    {
        LedPattern.OFF: _led(LedPattern.OFF, Step(0, None)),
        LedPattern.READY: _led(LedPattern.READY, Step(1, None)),
        LedPattern.SENDING: _led(LedPattern.SENDING, Step(1, 100), Step(0, 100)),
        LedPattern.RECEIVED: _led(LedPattern.RECEIVED, Step(1, 500), Step(0, 500)),
        LedPattern.ANSWERED: _led(LedPattern.ANSWERED, Step(1, 1_800), Step(0, 200)),
        LedPattern.UNDELIVERED: _led(
            LedPattern.UNDELIVERED,
            *(Step(1, 100), Step(0, 150), Step(1, 100), Step(0, 150), Step(1, 100), Step(0, 1_000)),
        ),
        LedPattern.FAULT: _led(LedPattern.FAULT, Step(1, 60), Step(0, 2_940)),
    }
)


class PatternPlayer:
    """Plays one pattern at a time on one output, in a thread that sleeps between steps.

    Args:
        write: sets the output; called from the player's thread only. May raise :class:`PartError`.
        failed: called then; the pattern is given up.
        playing: gets a pattern's name once its first step is out, and ``"off"`` when one has ended.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[int], None],
        failed: Callable[[PartError], None],
        playing: Callable[[str], None] | None = None,
    ) -> None:
        self._write = write
        self._failed = failed
        self._playing = playing
        self._changed = threading.Condition()
        self._pattern: Pattern | None = None
        self._turn = 0
        self._ends_at_s: float | None = None
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def play(self, pattern: Pattern) -> None:
        """Play this in place of the current pattern."""
        with self._changed:
            self._pattern = pattern
            self._ends_at_s = None if pattern.limit_ms is None else time.monotonic() + pattern.limit_ms / 1_000
            self._turn += 1
            self._changed.notify()

    def resume(self) -> None:
        """Play the last pattern for the rest of its time, on a reopened output."""
        with self._changed:
            self._turn += 1
            self._changed.notify()

    def close(self) -> None:
        """Output off, thread ended."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(_STOP_WAIT_S)

    def _run(self) -> None:
        turn = 0
        while self._was_overtaken(turn, None):
            with self._changed:
                if self._is_closing:
                    break
                turn, pattern, ends_at_s = self._turn, self._pattern, self._ends_at_s
            if pattern is not None:
                self._attempt(pattern, turn, ends_at_s)
        with suppress(PartError):
            self._end()

    def _attempt(self, pattern: Pattern, turn: int, ends_at_s: float | None) -> None:
        try:
            self._perform(pattern, turn, ends_at_s)
        except PartError as error:
            self._failed(error)

    def _perform(self, pattern: Pattern, turn: int, ends_at_s: float | None) -> None:
        is_told = False
        while True:
            for step in pattern.steps:
                if ends_at_s is not None and time.monotonic() >= ends_at_s and pattern.name != "off":
                    return self._end()
                self._write(step.value)
                if not is_told:
                    is_told = True
                    self._tell(pattern.name)
                if step.duration_ms is None:
                    return None
                wait_s = step.duration_ms / 1_000
                if ends_at_s is not None:
                    wait_s = min(wait_s, max(0.0, ends_at_s - time.monotonic()))
                if self._was_overtaken(turn, wait_s):
                    return None
            if not pattern.is_repeated:
                return self._end()

    def _was_overtaken(self, turn: int, wait_s: float | None) -> bool:
        """Wait for ``wait_s`` (``None`` = for ever); returns ``True`` at once if another pattern is ordered."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_closing or self._turn != turn, wait_s)

    def _end(self) -> None:
        self._write(0)
        self._tell("off")

    def _tell(self, name: str) -> None:
        if self._playing is not None:
            self._playing(name)
