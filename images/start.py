"""``make image-boot ARCH=arm64``: the Pi's image starts, on QEMU's plain ARM machine and on what it has of a Pi.

A card without a seed comes as far as a unit that asks for one. Only a Pi proves more (docs/hardware.md).
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from images.unit import Machine, Unit, new_card

MACHINES: Final[tuple[Machine, ...]] = ("virt", "raspi3b")
CARD_MIB: Final = 2_048
"""QEMU's card reader takes powers of two."""
ASKS: Final = re.compile(r"Starting \S*watchlink-node-enrol\.service")
PATIENCE_S: Final = 1_800.0
"""An emulated Pi on a busy machine."""


def starts(image: Path, keep: Path | None, scratch: Path, say: Callable[[str], None]) -> None:
    """Start the image on each machine, and say how long that took.

    Args:
        image: of the card.
        keep: folder for cards and consoles, if they are wanted.
        scratch: where they lie otherwise.
        say: is told.

    Raises:
        CardError: it did not come so far.
    """
    with contextlib.ExitStack() as kept:
        above = keep or Path(kept.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
        for machine in MACHINES:
            folder = above / machine
            folder.mkdir(parents=True, exist_ok=True)
            new_card(image, folder / "card.img", CARD_MIB)
            unit = Unit(folder / "card.img", folder, machine=machine)
            unit.switch_on()
            try:
                took_s = unit.wait_for(lambda said: ASKS.search(said) is not None, "a unit that claims", PATIENCE_S)
            finally:
                unit.cut()
            say(f"{machine}: from power on to a unit that claims, {took_s:.0f} s")
