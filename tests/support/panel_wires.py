"""The far end of the panel's bus: takes the bytes as the wire carries them, and rebuilds the picture from them."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from node.hw.pins import PinSource
from node.hw.profiles import Bus, Driver, Panel


@dataclass
class Wire:
    """Everything that came, in order: ``("command" | "data", bytes)``."""

    traffic: list[tuple[str, bytes]] = field(default_factory=list)
    is_cut: bool = False

    def take(self, kind: str, data: bytes) -> None:
        """One transfer, or nobody answers."""
        if self.is_cut:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        self.traffic.append((kind, data))

    @property
    def commands(self) -> bytes:
        """All command bytes."""
        return b"".join(data for kind, data in self.traffic if kind == "command")

    @property
    def data(self) -> bytes:
        """All pixels. Shorter data are parameters: SSD1351 and SSD1322 take them as data."""
        return b"".join(data for kind, data in self.traffic if kind == "data" and len(data) >= 32)


class RecordingI2cBus:
    """As much of ``smbus2.SMBus`` as luma uses on a bus it did not open itself."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.addresses: set[int] = set()

    def write_i2c_block_data(self, address: int, register: int, data: list[int]) -> None:
        """Control byte 0x00 is a command, 0x40 data."""
        self.addresses.add(address)
        self.wire.take({0x00: "command", 0x40: "data"}[register], bytes(data))


class RecordingSpi:
    """As much of ``spidev.SpiDev`` as luma uses; the data/command pin is read at each write."""

    def __init__(self, wire: Wire, source: PinSource, dc_pin: int) -> None:
        self.wire = wire
        self._source = source
        self._dc_pin = dc_pin
        self.opened: tuple[int, int] | None = None
        self.max_speed_hz = 0
        self.is_closed = False

    def open(self, port: int, device: int) -> None:
        """Remember which."""
        self.opened = (port, device)

    def writebytes(self, data: list[int]) -> None:
        """What it is the data/command pin says."""
        is_data = self._source.factory().pin(self._dc_pin).state
        self.wire.take("data" if is_data else "command", bytes(data))

    def close(self) -> None:
        """Remember it."""
        self.is_closed = True


def bus_options(panel: Panel, wire: Wire, source: PinSource) -> dict[str, Any]:
    """What :func:`node.hw.luma_devices.open_luma_panel` takes instead of the machine's own bus."""
    if panel.bus is Bus.I2C:
        return {"i2c_bus": RecordingI2cBus(wire)}
    assert panel.dc_pin is not None
    return {"spi": RecordingSpi(wire, source, panel.dc_pin)}


def picture(panel: Panel, data: bytes) -> Image.Image:
    """The picture that one frame's data bytes make, by the controller's data sheet."""
    if panel.driver is Driver.SSD1351:
        return _rgb565(panel, data)
    if panel.driver is Driver.SSD1322:
        return _nibbles(panel, data)
    return _pages(panel, data)


def _pages(panel: Panel, data: bytes) -> Image.Image:
    """SSD1306, SSD1309, SH1106: a byte is eight pixels downwards, lowest bit on top; a page is eight rows."""
    image = Image.new("1", (panel.width_px, panel.height_px))
    assert panel.width_px * panel.height_px // 8 == len(data)
    for n, byte in enumerate(data):
        page, x_px = divmod(n, panel.width_px)
        for bit in range(8):
            image.putpixel((x_px, page * 8 + bit), 255 if byte >> bit & 1 else 0)
    return image


def _nibbles(panel: Panel, data: bytes) -> Image.Image:
    """SSD1322: four bits of grey a pixel, the left one in the high nibble."""
    image = Image.new("1", (panel.width_px, panel.height_px))
    assert panel.width_px * panel.height_px // 2 == len(data)
    for n, byte in enumerate(data):
        y_px, pair = divmod(n, panel.width_px // 2)
        image.putpixel((2 * pair, y_px), 255 if byte >> 4 else 0)
        image.putpixel((2 * pair + 1, y_px), 255 if byte & 0xF else 0)
    return image


def _rgb565(panel: Panel, data: bytes) -> Image.Image:
    """SSD1351: two bytes a pixel, 5 bits red, 6 green, 5 blue."""
    image = Image.new("RGB", (panel.width_px, panel.height_px))
    assert panel.width_px * panel.height_px * 2 == len(data)
    for n in range(0, len(data), 2):
        value = data[n] << 8 | data[n + 1]
        y_px, x_px = divmod(n // 2, panel.width_px)
        image.putpixel((x_px, y_px), (value >> 11 << 3, (value >> 5 & 0x3F) << 2, (value & 0x1F) << 3))
    return image
