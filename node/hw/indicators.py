"""LED and sounder on pins."""

from __future__ import annotations

from collections.abc import Callable

from node.core.controls import LedPattern, SoundPattern
from node.hw.errors import PartError, translated
from node.hw.health import PartHealth
from node.hw.patterns import LEDS, SOUNDS, Pattern, PatternPlayer
from node.hw.pins import Device, PinSource, quietly

Observer = Callable[[str], None]
"""Gets the name of the pattern that the pin now shows."""

_SQUARE_WAVE: float = 0.5


class _PinOutput:
    """What LED and sounder share: one device, reopened after a failure, and a player."""

    def __init__(self, name: str, pin: int, source: PinSource, health: PartHealth, playing: Observer | None) -> None:
        self._pin = pin
        self._source = source
        self._health = health
        self._device: Device | None = None
        self._open(is_retry=False)
        self._player = PatternPlayer(name, self._write, self._fail, playing)

    def check(self) -> None:
        """Read the pin back: an unreadable pin is a failure."""
        device = self._device
        if device is None:
            return
        try:
            with translated(f"GPIO {self._pin}"):
                _ = device.value
        except PartError as error:
            self._fail(error)

    def retry(self) -> None:
        """Open the pin again and resume the current pattern."""
        if self._health.is_failed and self._open(is_retry=True):
            self._health.recover()
            self._player.resume()

    def close(self) -> None:
        """Switch off and release the pin."""
        self._player.close()
        device, self._device = self._device, None
        if device is not None:
            quietly(device.close)

    def _make(self) -> Device:
        raise NotImplementedError

    def _set(self, device: Device, value: int) -> None:
        raise NotImplementedError

    def _open(self, *, is_retry: bool) -> bool:
        try:
            self._device = self._make()
        except PartError as error:
            self._health.fail(str(error), is_retry=is_retry)
            return False
        return True

    def _play(self, pattern: Pattern) -> None:
        self._player.play(pattern)

    def _write(self, value: int) -> None:
        """Set the output; runs in the player's thread."""
        device = self._device
        if device is None:
            raise PartError(f"GPIO {self._pin}: not open")
        with translated(f"GPIO {self._pin}"):
            self._set(device, value)

    def _fail(self, error: PartError) -> None:
        device, self._device = self._device, None
        if device is not None:
            quietly(device.close)
        self._health.fail(str(error))


class GpiozeroLed(_PinOutput):
    """The status LED: pin high is lit."""

    def show(self, pattern: LedPattern) -> None:
        """Show this until the next call."""
        self._play(LEDS[pattern])

    def _make(self) -> Device:
        return self._source.device("LED", self._pin)

    def _set(self, device: Device, value: int) -> None:
        device.value = bool(value)


class GpiozeroSounder(_PinOutput):
    """A passive piezo on a transistor: a square wave at the step's frequency."""

    def play(self, pattern: SoundPattern) -> None:
        """Start this in place of the current pattern; it ends by itself within 60 s. ``OFF`` stops at once."""
        self._play(SOUNDS[pattern])

    def _make(self) -> Device:
        return self._source.device("PWMOutputDevice", self._pin, frequency=660, initial_value=0)

    def _set(self, device: Device, value: int) -> None:
        # Duty first when ending, frequency first when starting: no click of the wrong tone.
        if value:
            device.frequency = value
            device.value = _SQUARE_WAVE
        else:
            device.value = 0
