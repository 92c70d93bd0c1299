"""Whether this machine's boot loader can try a system once, so that one that does not work is left again by itself.

Of a Pi 4 it lies in an EEPROM, and may be years old; of older models it comes with the card. Source: Raspberry Pi
documentation, "Device trees", ``/chosen/bootloader``: ``capabilities``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.image import Image

DEVICE_TREE: Final = Path("/sys/firmware/devicetree/base")
_TRYBOOT_A_B: Final = 1 << 2
_TRYBOOT: Final = 1 << 3
_WITH_EEPROM: Final = (b"brcm,bcm2711", b"brcm,bcm2712")
TOO_OLD: Final = "The Pi's boot loader is too old to try a system: update its EEPROM."


def why_no_trial(image: Image, device_tree: Path = DEVICE_TREE) -> str:
    """A sentence; empty = a system can be tried."""
    if image.stand_in:
        return ""
    told = _read(device_tree / "chosen/bootloader/capabilities")
    if told:
        needed = _TRYBOOT | _TRYBOOT_A_B
        return "" if int.from_bytes(told, "big") & needed == needed else TOO_OLD
    boards = _read(device_tree / "compatible").split(b"\0")
    if not any(boards):
        return "This machine does not say what it is."
    return TOO_OLD if any(board in _WITH_EEPROM for board in boards) else ""


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
