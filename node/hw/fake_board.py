"""The fake board: the real button, LED, sounder and drawing code on mocked pins, a mocked bus and a dummy panel.

Everything above the pin and the bus is what runs on a Pi. Parts break as they would there: pins refuse, the bus answers
``EREMOTEIO``. The socket speaks JSON lines; see docs/fakes.md.
"""

from __future__ import annotations

import base64
import errno
import io
import threading
from pathlib import Path
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPWMPin
from luma.core.device import dummy
from luma.core.interface.serial import i2c
from PIL import Image

from node.core.controls import Button, Part
from node.core.events import Emit
from node.core.screens import Screen
from node.hw.board import Board
from node.hw.fake_board_server import FakeBoardServer, Message
from node.hw.luma_devices import OpenedPanel, without_exit_hooks
from node.hw.pins import PinSource
from node.hw.profiles import Panel, Profile
from node.hw.typeface import Typeface

_LEVELS: Final = {"low": True, "high": False}
_STATES: Final = {"fail": True, "mend": False}


class FakePin(MockPWMPin):  # type: ignore[misc]  # gpiozero has no types
    """A mocked pin that remembers its wire's level, and can refuse like a missing chip."""

    is_refusing = False
    is_wire_low = False
    _edge_at_s: float | None = None

    def drive(self, *, low: bool, at_s: float | None = None) -> None:
        """Put the wire to a level; the pin notices if it is an input.

        Args:
            low: the level.
            at_s: monotonic time of the change, as a kernel stamps an edge; default: now.
        """
        self.is_wire_low = low
        if self._function == "input" and not self.is_refusing:
            self._edge_at_s = at_s
            (self.drive_low if low else self.drive_high)()
            self._edge_at_s = None

    def close(self) -> None:
        """Release the pin, even a dead one."""
        if not self.is_refusing:
            super().close()

    def _get_state(self) -> object:
        self._answer()
        return super()._get_state()

    def _set_state(self, value: object) -> None:
        self._answer()
        super()._set_state(value)

    def _set_function(self, value: object) -> None:
        self._answer()
        super()._set_function(value)

    def _set_pull(self, value: object) -> None:
        super()._set_pull(value)
        # A closed contact overrides the pull-up.
        if self.is_wire_low:
            self.drive_low()

    def _change_state(self, value: object) -> bool:
        has_changed: bool = super()._change_state(value)
        if has_changed and self._edge_at_s is not None:
            self._last_change = self._edge_at_s
        return has_changed

    def _answer(self) -> None:
        if self.is_refusing:
            raise OSError(errno.EIO, "pin does not answer (broken on purpose)")


class FakeI2cBus:
    """An ``smbus2.SMBus`` with one panel, which can be unplugged. Refuses every call but the panel's."""

    def __init__(self) -> None:
        self.is_unplugged = False

    def write_i2c_block_data(self, address: int, register: int, data: list[int]) -> None:
        """Take a block, or fail as the kernel does without an acknowledgement."""
        del address, register, data
        if self.is_unplugged:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")


class FakePanel(dummy):  # type: ignore[misc]  # luma has no types
    """luma's 1-bit dummy, whose picture first goes over the bus, as a real panel's does."""

    def __init__(self, panel: Panel, bus: FakeI2cBus) -> None:
        serial = i2c(bus=bus, address=panel.i2c_address)
        super().__init__(panel.width_px, panel.height_px, mode="1", serial_interface=serial)
        self.clear()
        self.show()

    def display(self, image: Image.Image) -> None:
        """Over the bus, then kept."""
        self.data(image.tobytes())
        super().display(image)


class FakeBoard(Board):
    """A board controlled over a Unix socket. Made by :func:`open_fake_board`."""

    def __init__(self, profile: Profile, emit: Emit, typeface: Typeface, socket_path: Path | None) -> None:
        self._lock = threading.Lock()
        self._factory = MockFactory(pin_class=FakePin)
        self._bus = FakeI2cBus()
        without_exit_hooks()
        self._latest: dict[str, Message] = {
            "oled": _picture(profile.panel, None, None),
            "led": {"led": "off"},
            "sound": {"sound": "off"},
        }
        self._server = None if socket_path is None else FakeBoardServer(socket_path, self._state, self._obey)
        super().__init__(
            profile,
            emit,
            source=PinSource(lambda: self._factory),
            open_panel=lambda: OpenedPanel(FakePanel(profile.panel, self._bus)),
            typeface=typeface,
            panel_observer=lambda screen, image: self._tell("oled", _picture(profile.panel, screen, image)),
            led_observer=lambda name: self._tell("led", {"led": name}),
            sound_observer=lambda name: self._tell("sound", {"sound": name}),
        )
        if self._server is not None:
            self._server.start()

    def set_level(self, button: Button, *, low: bool, at_s: float | None = None) -> None:
        """Put a button's pin to an electrical level; low is pressed. ``at_s``: see :meth:`FakePin.drive`."""
        self._pin(self.profile.buttons[button]).drive(low=low, at_s=at_s)

    def set_broken(self, part: Part, *, is_broken: bool) -> None:
        """Break or mend a part; broken parts are noticed at once, mended ones at the next retry."""
        if part is Part.OLED:
            self._bus.is_unplugged = is_broken
        else:
            for number in self._pins_of(part):
                self._pin(number).is_refusing = is_broken
        if is_broken:
            self.check(part)

    def close(self) -> None:
        """Close as every board; then the socket, once its clients have seen the dark panel."""
        super().close()
        if self._server is not None:
            self._server.close()

    def _pin(self, number: int) -> FakePin:
        pin: FakePin = self._factory.pin(number)
        return pin

    def _pins_of(self, part: Part) -> tuple[int, ...]:
        pins: dict[Part, tuple[int, ...]] = {
            Part.BUTTONS: tuple(self.profile.buttons.values()),
            Part.LED: (self.profile.led_pin,),
            Part.SOUNDER: (self.profile.sounder_pin,),
        }
        return pins[part]

    def _state(self) -> tuple[Message, ...]:
        with self._lock:
            return tuple(self._latest.values())

    def _tell(self, kind: str, message: Message) -> None:
        with self._lock:
            self._latest[kind] = message
        if self._server is not None:
            self._server.publish(message)

    def _obey(self, message: dict[str, Any]) -> None:
        """Carry out one message from outside; in the server's thread.

        Raises:
            ValueError: unknown; names the known messages.
        """
        if {"button", "level"} <= set(message) <= {"button", "level", "at_s"}:
            button = _one_of({button.value: button for button in self.profile.buttons}, message["button"], "button")
            at_s = message.get("at_s")
            if at_s is not None and (isinstance(at_s, bool) or not isinstance(at_s, int | float)):
                raise ValueError("at_s is a number of seconds")
            self.set_level(button, low=_one_of(_LEVELS, message["level"], "level"), at_s=at_s)
        elif set(message) == {"part", "state"}:
            parts = {part.value: part for part in (Part.OLED, Part.BUTTONS, Part.SOUNDER, Part.LED)}
            part = _one_of(parts, message["part"], "part")
            self.set_broken(part, is_broken=_one_of(_STATES, message["state"], "state"))
        else:
            raise ValueError('expected {"button", "level"}, with "at_s" or without, or {"part", "state"}')


def open_fake_board(profile: Profile, emit: Emit, typeface: Typeface, socket_path: Path | None) -> Board:
    """A fake board, served on ``socket_path`` if given.

    Raises:
        FakeBoardError: the socket cannot be served.
    """
    return FakeBoard(profile, emit, typeface, socket_path)


def _one_of(choices: dict[str, Any], value: object, what: str) -> Any:  # noqa: ANN401 - the choices' own type
    if isinstance(value, str) and value in choices:
        return choices[value]
    raise ValueError(f"{what} is one of {', '.join(choices)}")


def _picture(panel: Panel, screen: Screen | None, image: Image.Image | None) -> Message:
    """What the panel shows, for the socket."""
    if image is None:
        image = Image.new("1", (panel.width_px, panel.height_px))
    png = io.BytesIO()
    image.save(png, "PNG")
    return {
        "oled": base64.b64encode(png.getvalue()).decode(),
        "face": "" if screen is None else screen.face.value,
        "headline": "" if screen is None else " ".join(screen.headline),
        "lines": [] if screen is None else list(screen.lines),
        "is_blank": screen is None,
    }
