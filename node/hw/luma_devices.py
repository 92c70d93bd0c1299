"""Panels by luma.oled: opens a profile's bus and device."""

from __future__ import annotations

import importlib
import time
from types import SimpleNamespace
from typing import Any, Final

from PIL import Image

from node.hw.pins import Device, LumaGpio, PinSource, quietly
from node.hw.profiles import Bus, Driver, Panel

LumaDevice = Any
"""A luma device; the library has no types."""

RESET_HOLD_S: Final = 0.01
RESET_RELEASE_S: Final = 0.1
"""SSD1309 and SH1106 want microseconds; modules with an RC on the reset line want more."""


class OpenedPanel:
    """An initialised panel. Methods raise what luma and the bus raise.

    Args:
        lines: pins held while the panel is open, such as its reset.
    """

    def __init__(self, device: LumaDevice, lines: tuple[Device, ...] = ()) -> None:
        self._device = device
        self._lines = lines

    def display(self, image: Image.Image) -> None:
        """Send the whole picture; returns when the bus has taken it."""
        if image.mode != self._device.mode:
            _change_mode(self._device, image.mode)
        self._device.display(image)

    def contrast(self, level: int) -> None:
        """Brightness, 0 … 255."""
        self._device.contrast(level)

    def close(self) -> None:
        """Blank the panel and release bus and pins, as far as the panel still answers."""
        quietly(self._device.hide)
        quietly(self._device.clear)
        self.abandon()

    def abandon(self) -> None:
        """Release bus and pins of a panel that no longer answers."""
        quietly(self._device._serial_interface.cleanup)  # noqa: SLF001 - luma's own cleanup writes to the panel first
        for line in self._lines:
            quietly(line.close)


def open_luma_panel(panel: Panel, source: PinSource, *, i2c_bus: Any = None, spi: Any = None) -> OpenedPanel:  # noqa: ANN401
    """Open the panel, initialised and blank.

    Args:
        panel: which.
        source: reset and data/command pins.
        i2c_bus: instead of the machine's own, an ``smbus2.SMBus`` or similar.
        spi: instead of the machine's own, a ``spidev.SpiDev`` or similar.

    Raises:
        Exception: whatever library, bus or pin raise; the caller translates it.
    """
    lines: list[Device] = []
    serial = None
    try:
        if panel.bus is Bus.I2C:
            if panel.reset_pin is not None:
                lines.append(source.device("DigitalOutputDevice", panel.reset_pin, initial_value=True))
                _pulse(lines[0])
            serial = _open_i2c(panel, i2c_bus)
        else:
            lines.append(LumaGpio(source))
            serial = _open_spi(panel, lines[0], spi)
        return OpenedPanel(make_device(panel, serial), tuple(lines))
    except BaseException:
        if serial is not None:
            quietly(serial.cleanup)
        for line in lines:
            quietly(line.close)
        raise


def make_device(panel: Panel, serial: Any) -> LumaDevice:  # noqa: ANN401
    """The luma device of this panel on an open serial interface."""
    without_exit_hooks()
    options: dict[str, Any] = {}
    if panel.driver in {Driver.SSD1351, Driver.SSD1322}:
        # Every frame is sent whole: the next makes good a lost one, and no memory of the panel's contents is needed.
        options["framebuffer"] = importlib.import_module("luma.core.framebuffer").full_frame()
    if panel.driver is Driver.SSD1322:
        options["mode"] = "1"
    driver = getattr(importlib.import_module("luma.oled.device"), panel.driver.value)
    return driver(serial, width=panel.width_px, height=panel.height_px, **options)


def without_exit_hooks() -> None:
    """Keep luma from registering an exit hook with every device.

    The hook keeps its device for ever, even a half-made one: a missing panel, retried every few seconds, would fill the
    memory within a day. The board closes its panel itself.
    """
    module: Any = importlib.import_module("luma.core.device")
    module.atexit = SimpleNamespace(register=lambda hook: hook)


def _open_i2c(panel: Panel, bus: Any) -> Any:  # noqa: ANN401
    serial = importlib.import_module("luma.core.interface.serial")
    return serial.i2c(bus=bus, port=1, address=panel.i2c_address)


def _open_spi(panel: Panel, gpio: LumaGpio, spi: Any) -> Any:  # noqa: ANN401
    serial = importlib.import_module("luma.core.interface.serial")
    return serial.spi(
        spi=spi,
        gpio=gpio,
        port=0,
        device=0,
        bus_speed_hz=panel.spi_hz,
        gpio_DC=panel.dc_pin,
        gpio_RST=panel.reset_pin,
        reset_hold_time=RESET_HOLD_S,
        reset_release_time=RESET_RELEASE_S,
    )


def _change_mode(device: LumaDevice, mode: str) -> None:
    """An SSD1322 has greys, and words need none of them: luma takes three times as long for a picture that has."""
    device.mode = mode
    device._populate = device._render_mono if mode == "1" else device._render_greyscale  # noqa: SLF001


def _pulse(reset: Device) -> None:
    """Luma's I2C has no reset, and an SSD1309 shows nothing without one. The line stays driven high."""
    reset.off()
    time.sleep(RESET_HOLD_S)
    reset.on()
    time.sleep(RESET_RELEASE_S)
