"""Hardware profiles: the panel, and each control's pin. Data only; sources are in docs/hardware.md.

Pins are BCM numbers. Buttons go to ground and are pulled up. Every LED and sounder pin is one that the Pi pulls
down at power-up (GPIO 9 to 27), so that nothing lights or sounds before the program runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from node.core.controls import Button
from node.hw.errors import UnknownProfileError

I2C_PINS: Final = frozenset({2, 3})
SPI0_CE0_PINS: Final = frozenset({8, 10, 11})
"""CE0, MOSI, SCLK. Panels send nothing: MISO (9) stays free."""
RADIO_PINS: Final = frozenset({12, 14, 15})
"""Kept free for the radio: PTT and the serial port."""


class Driver(StrEnum):
    """Panel controllers, by their class name in ``luma.oled.device``."""

    SSD1306 = "ssd1306"
    SSD1309 = "ssd1309"
    SH1106 = "sh1106"
    SSD1351 = "ssd1351"
    SSD1322 = "ssd1322"
    FAKE = "fake"


class Bus(StrEnum):
    """How the panel is wired."""

    I2C = "i2c"
    SPI = "spi"


class Panel(Struct, frozen=True):
    """One panel.

    Attributes:
        driver, bus: controller and wiring.
        width_px, height_px: its pixels.
        diagonal_in: visible diagonal in inches.
        colour: its light: ``yellow``, ``white``, ``blue`` or ``rgb``.
        reset_pin: pulsed low before each start; ``None`` if the module resets itself.
        dc_pin: data/command, SPI only.
        i2c_address: 7 bit.
        spi_hz: clock within the controller's limit.
    """

    driver: Driver
    bus: Bus
    width_px: int
    height_px: int
    diagonal_in: float
    colour: str
    reset_pin: int | None = None
    dc_pin: int | None = None
    i2c_address: int = 0x3C
    spi_hz: int = 8_000_000

    @property
    def is_colour(self) -> bool:
        """Whether row 1 can be in the priority's colour."""
        return self.colour == "rgb"

    @property
    def pins(self) -> frozenset[int]:
        """All pins used by the panel."""
        bus = I2C_PINS if self.bus is Bus.I2C else SPI0_CE0_PINS
        return bus | {pin for pin in (self.reset_pin, self.dc_pin) if pin is not None}


class Profile(Struct, frozen=True):
    """A way to build a board.

    Attributes:
        name: as in ``node.toml``.
        title: for people.
        buttons: pin of each control.
        labels: names printed on the part itself, such as ``KEY1``.
    """

    name: str
    title: str
    panel: Panel
    buttons: Mapping[Button, int]
    led_pin: int
    sounder_pin: int
    labels: Mapping[Button, str]

    @property
    def is_fake(self) -> bool:
        """Whether it has mocked pins and panel, driven over a socket."""
        return self.panel.driver is Driver.FAKE


_OWN_BUTTONS: Final = MappingProxyType(
    {
        Button.ATTACK: 5,
        Button.ASSIST: 6,
        Button.SEEN: 16,
        Button.RESPONDING: 20,
        Button.CANCEL: 19,
        Button.TEST: 26,
    }
)
_WAVESHARE_HAT_BUTTONS: Final = MappingProxyType(
    {
        Button.ATTACK: 21,
        Button.ASSIST: 20,
        Button.CANCEL: 16,
        Button.SEEN: 6,
        Button.RESPONDING: 26,
        Button.TEST: 13,
    }
)
_WAVESHARE_HAT_LABELS: Final = MappingProxyType(
    {
        Button.ATTACK: "KEY1",
        Button.ASSIST: "KEY2",
        Button.CANCEL: "KEY3",
        Button.SEEN: "stick up ▲",
        Button.RESPONDING: "stick right ►",
        Button.TEST: "stick press",
    }
)
_BONNET_BUTTONS: Final = MappingProxyType(
    {
        Button.ATTACK: 5,
        Button.ASSIST: 6,
        Button.SEEN: 17,
        Button.RESPONDING: 23,
        Button.CANCEL: 22,
        Button.TEST: 4,
    }
)
_BONNET_LABELS: Final = MappingProxyType(
    {
        Button.ATTACK: "#5",
        Button.ASSIST: "#6",
        Button.SEEN: "stick up ▲",
        Button.RESPONDING: "stick right ►",
        Button.CANCEL: "stick down",
        Button.TEST: "stick press",
    }
)
_NO_LABELS: Final[Mapping[Button, str]] = MappingProxyType({})


def _own(name: str, title: str, panel: Panel) -> Profile:
    """A panel module with buttons, LED and sounder wired by hand."""
    return Profile(name, title, panel, _OWN_BUTTONS, led_pin=17, sounder_pin=18, labels=_NO_LABELS)


_I2C: Final = Bus.I2C
_SPI: Final = Bus.SPI

_ALL: Final = (
    _own(
        "ssd1309-128x64",
        "2.42″ OLED, SSD1309, I²C",
        Panel(Driver.SSD1309, _I2C, 128, 64, 2.42, "yellow", reset_pin=27),
    ),
    _own(
        "ssd1309-128x64-spi",
        "2.42″ OLED, SSD1309, SPI",
        Panel(Driver.SSD1309, _SPI, 128, 64, 2.42, "yellow", reset_pin=27, dc_pin=25),
    ),
    _own("ssd1306-128x64", "0.96″ OLED, SSD1306, I²C", Panel(Driver.SSD1306, _I2C, 128, 64, 0.96, "white")),
    _own(
        "ssd1306-128x64-spi",
        "0.96″ OLED, SSD1306, SPI",
        Panel(Driver.SSD1306, _SPI, 128, 64, 0.96, "white", reset_pin=27, dc_pin=25),
    ),
    _own("sh1106-128x64", "1.3″ OLED, SH1106, I²C", Panel(Driver.SH1106, _I2C, 128, 64, 1.3, "white")),
    _own(
        "sh1106-128x64-spi",
        "1.3″ OLED, SH1106, SPI",
        Panel(Driver.SH1106, _SPI, 128, 64, 1.3, "white", reset_pin=27, dc_pin=25, spi_hz=2_000_000),
    ),
    Profile(
        "waveshare-sh1106-hat",
        "Waveshare 1.3″ OLED HAT as delivered (SPI), joystick and three keys",
        Panel(Driver.SH1106, _SPI, 128, 64, 1.3, "blue", reset_pin=25, dc_pin=24, spi_hz=2_000_000),
        _WAVESHARE_HAT_BUTTONS,
        led_pin=17,
        sounder_pin=18,
        labels=_WAVESHARE_HAT_LABELS,
    ),
    Profile(
        "waveshare-sh1106-hat-i2c",
        "Waveshare 1.3″ OLED HAT with its resistors moved to I²C",
        Panel(Driver.SH1106, _I2C, 128, 64, 1.3, "blue", reset_pin=25),
        _WAVESHARE_HAT_BUTTONS,
        led_pin=17,
        sounder_pin=18,
        labels=_WAVESHARE_HAT_LABELS,
    ),
    Profile(
        "adafruit-128x64-bonnet",
        "Adafruit 1.3″ OLED bonnet, SSD1306, I²C, joystick and two buttons",
        Panel(Driver.SSD1306, _I2C, 128, 64, 1.3, "white"),
        _BONNET_BUTTONS,
        led_pin=24,
        sounder_pin=18,
        labels=_BONNET_LABELS,
    ),
    _own(
        "ssd1351-128x128",
        "1.5″ colour OLED (Waveshare RGB module), SSD1351, SPI",
        Panel(Driver.SSD1351, _SPI, 128, 128, 1.5, "rgb", reset_pin=27, dc_pin=25, spi_hz=16_000_000),
    ),
    _own(
        "ssd1322-256x64",
        "3.12″ wide OLED, SSD1322, SPI",
        Panel(Driver.SSD1322, _SPI, 256, 64, 3.12, "yellow", reset_pin=27, dc_pin=25),
    ),
    _own("fake", "mocked pins and panel for demo and tests", Panel(Driver.FAKE, _I2C, 128, 64, 2.42, "yellow")),
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({profile.name: profile for profile in _ALL})
"""Every profile by its name in ``node.toml``."""

DEFAULT_PROFILE: Final = "ssd1309-128x64"


def profile_named(name: str) -> Profile:
    """The profile of that name.

    Raises:
        UnknownProfileError: there is none; the message lists the profiles.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise UnknownProfileError(f"no hardware profile {name!r}; there are: {', '.join(PROFILES)}") from None
