"""``autoboot.txt``: which system the firmware boots by itself, and which when it is asked to try one.

The file is one sector of 512 bytes, always. It is written over where it lies, so that a power cut leaves it wholly old
or wholly new. Source: Raspberry Pi, "config.txt", autoboot.txt (at most 512 bytes; ``tryboot_a_b=1`` boots the other
partition instead of reading ``tryboot.txt``).
"""

from __future__ import annotations

from typing import Final

from appliance.card.fat import Fat
from appliance.card.partition import SECTOR_BYTES, Sectors
from appliance.core.slot import SLOTS, Slot, other
from appliance.errors import CardError

AUTOBOOT_FILE: Final = "autoboot.txt"
BOOT_PARTITIONS: Final[dict[Slot, int]] = {"a": 2, "b": 3}
"""Where the firmware finds each system's kernel."""


def autoboot(primary: Slot) -> bytes:
    """The whole file, for a card that boots ``primary`` by itself."""
    text = (
        f"[all]\ntryboot_a_b=1\nboot_partition={BOOT_PARTITIONS[primary]}\n"
        f"[tryboot]\nboot_partition={BOOT_PARTITIONS[other(primary)]}\n"
    )
    return text.encode("ascii").ljust(SECTOR_BYTES, b"\n")


def read_primary(sectors: Sectors) -> Slot:
    """The system that the card boots by itself.

    Raises:
        CardError: the card cannot be read, or the file is not as we write it.
    """
    return _found(sectors)[0]


def write_primary(sectors: Sectors, primary: Slot) -> None:
    """Let the card boot ``primary`` by itself from now on; on the card when this returns.

    Raises:
        CardError: the card cannot be read or written, or the file is not as we write it. Nothing was changed.
    """
    before, at = _found(sectors)
    if before != primary:
        sectors.write(at, autoboot(primary))


def _found(sectors: Sectors) -> tuple[Slot, int]:
    fat = Fat(sectors)
    file = fat.find(AUTOBOOT_FILE)
    if file is None:
        raise CardError(f"there is no {AUTOBOOT_FILE} on the card")
    if file.size_bytes == SECTOR_BYTES:
        data = fat.read(file)
        for slot in SLOTS:
            if data == autoboot(slot):
                return slot, fat.sectors_of(file)[0]
    # Written by hand: whoever did it knows what is to be booted.
    raise CardError(f"{AUTOBOOT_FILE} on the card is not as this system writes it")
