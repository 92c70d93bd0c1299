"""The three lines that can key a radio: a pin of the Pi, RTS of a serial port, a pin of a CM108 sound device.

Each imports its library when it is opened, so that no process loads more than it needs.
"""

from __future__ import annotations

import errno
import importlib
import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from node.hw.errors import PartError, one_line, translated
from node.hw.radio.ptt import METHODS, PttError, PttLine, PttSettings

if TYPE_CHECKING:
    from node.hw.pins import Device, PinSource

GPIO_MIN: Final = 9
"""The Pi pulls 0 to 8 up from power-up, long before any program runs, which would key a radio on them."""
GPIO_MAX: Final = 27
CM108_PIN_MAX: Final = 8
_HUNG_UP: Final = 0
"""A baud rate of 0: opening a port raises RTS and DTR, but not if it was left like this."""


def open_line(settings: PttSettings) -> PttLine:
    """Open the configured line and switch it off.

    Raises:
        PttError: there is none, it cannot be opened, or it did not move.
    """
    match settings.method:
        case "gpio":
            from node.hw.pins import PinSource, open_lgpio_factory  # noqa: PLC0415

            return GpioPtt(settings.gpio, PinSource(open_lgpio_factory))
        case "serial-rts":
            return SerialRtsPtt(settings.serial)
        case "cm108":
            return Cm108Ptt(settings.hidraw, settings.cm108_pin)
        case other:
            raise PttError(f"radio.ptt.method {other!r} is not known: it is one of {', '.join(METHODS)}")


def put_off(settings: PttSettings) -> None:
    """Switch the configured line off and release it.

    Raises:
        PttError: it could not be switched off.
    """
    open_line(settings).close()


class GpioPtt:
    """A pin of the Pi; high keys.

    Args:
        pin: BCM number.
        source: of pins.
    """

    def __init__(self, pin: int, source: PinSource) -> None:
        if not GPIO_MIN <= pin <= GPIO_MAX:
            raise PttError(f"radio.ptt.gpio {pin}: only GPIO {GPIO_MIN} to {GPIO_MAX} are low while the Pi starts")
        self.name = f"GPIO {pin}"
        self._source = source
        try:
            # An output, low from the first moment: never a floating input, never high for an instant.
            self._device: Device = source.device("OutputDevice", pin, active_high=True, initial_value=False)
        except PartError as e:
            self._source.close()
            raise PttError(_gpio_refused(self.name, e)) from e

    def set(self, *, is_on: bool) -> None:
        """Drive it, and read it back."""
        try:
            with translated(self.name):
                self._device.value = is_on
                is_moved = bool(self._device.value) is is_on
        except PartError as e:
            raise PttError(str(e)) from e
        if not is_moved:
            raise PttError(f"{self.name}: stays {'low' if is_on else 'high'}: look for a short circuit")

    def close(self) -> None:
        """Drive it low, then make it an input: the resistor to ground (docs/hardware.md) keeps it low."""
        try:
            self.set(is_on=False)
        finally:
            with suppress(PartError), translated():
                self._device.close()
            self._source.close()


def _gpio_refused(name: str, error: PartError) -> str:
    reason = str(error)
    if any(word in reason.lower() for word in ("busy", "in use")):
        return f"{name} is held by another program, perhaps a node that runs"
    if "not installed" in reason:
        return f"{name}: {reason}; install Raspberry Pi OS's python3-lgpio, or use the card's image"
    # Advice first: a library's own message may be too long for one line.
    return one_line(f"{name}: is this a Raspberry Pi, and its user in the group gpio? {reason}")


class SerialRtsPtt:
    """RTS of a serial port.

    Args:
        port: its device.
    """

    def __init__(self, port: str) -> None:
        self.name = f"RTS of {port}"
        with _refused(self.name, "dialout"):
            try:
                serial: Any = importlib.import_module("serial")
            except ModuleNotFoundError as e:
                raise PttError(f"{self.name}: library serial is not installed; install Debian's python3-serial") from e
            # Everything is set before opening, which would otherwise raise both lines meanwhile.
            self._port = serial.Serial(None, baudrate=_HUNG_UP, rtscts=False, dsrdtr=False, xonxoff=False)
            self._port.rts = False
            self._port.dtr = False
            self._port.port = port
            self._port.open()
        try:
            # The library ignores ports without these lines when it opens one.
            self.set(is_on=False)
        except PttError:
            self._port.close()
            raise

    def set(self, *, is_on: bool) -> None:
        """Raise or lower RTS; DTR stays low."""
        with _refused(self.name, "dialout"):
            self._port.rts = is_on

    def close(self) -> None:
        """Lower it; the kernel lowers it again when the port is last closed."""
        try:
            self.set(is_on=False)
        finally:
            self._port.close()


class Cm108Ptt:
    """A GPIO pin of a CM108, CM119 or a chip that takes the same reports.

    Args:
        hidraw: its device; a plain file records the reports, for tests.
        pin: 1 … 8.
    """

    def __init__(self, hidraw: str, pin: int) -> None:
        if not 1 <= pin <= CM108_PIN_MAX:
            raise PttError(f"radio.ptt.cm108_pin {pin}: such chips have pins 1 to {CM108_PIN_MAX}")
        self.name = f"pin {pin} of {hidraw}"
        self._mask = 1 << (pin - 1)
        with _refused(self.name, "audio (see systemd/udev)"):
            self._fd = os.open(hidraw, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            self.set(is_on=False)
        except PttError:
            os.close(self._fd)
            raise

    def set(self, *, is_on: bool) -> None:
        """Send one output report."""
        # Report 0; HID_OR0: pins, not S/PDIF; HID_OR1: levels; HID_OR2: directions (1 is output); HID_OR3.
        report = bytes((0, 0, self._mask if is_on else 0, self._mask, 0))
        with _refused(self.name, "audio (see systemd/udev)"):
            if os.write(self._fd, report) != len(report):
                raise PttError(f"{self.name}: took only a part of the report; is it a CM108?")

    def close(self) -> None:
        """Drive it low; it stays an output."""
        try:
            self.set(is_on=False)
        finally:
            os.close(self._fd)


@contextmanager
def _refused(name: str, group: str) -> Iterator[None]:
    """Translate a kernel error into advice for the installer."""
    try:
        yield
    except PttError:
        raise
    except (OSError, ValueError, termios.error) as e:  # the last is not an OSError, and pyserial lets it through
        reasons = {
            errno.ENOENT: "is not there; is it plugged in, and is its name right?",
            errno.ENODEV: "is gone; is it plugged in?",
            errno.EIO: "does not answer; is it plugged in?",
            errno.EACCES: f"may not be opened by this user, who must be in the group {group}",
            errno.EPERM: f"may not be opened by this user, who must be in the group {group}",
            errno.EBUSY: "is held by another program, perhaps a node that runs",
            errno.ENOTTY: "has no such line; is it the right device?",
            errno.EINVAL: "has no such line; is it the right device?",
        }
        number: object = e.errno if isinstance(e, OSError) else next(iter(e.args), None)
        reason = next((words for code, words in reasons.items() if code == number), f"does not work: {e}")
        raise PttError(one_line(f"{name} {reason}")) from e
