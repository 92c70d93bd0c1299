"""``make image-boot ARCH=arm64``: the Pi's image starts, on QEMU's plain ARM machine and on what it has of a Pi.

On the first it takes its seed, claims and is armed, but for the hardware, which is faked. The second has no network, so
there a unit asks for its seed. Only a Pi proves more (docs/hardware.md).
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

from images.boot import Bench, Story
from images.unit import Unit, new_card

CARD_MIB: Final = 2_048
"""QEMU's card reader takes powers of two."""
ASKS: Final = re.compile(r"Starting \S*watchlink-node-enrol\.service")
ARMED: Final = re.compile(r'"fact": "armed"')
PATIENCE_S: Final = 1_800.0
"""An emulated Pi on a busy machine."""


async def armed(bench: Bench, story: Story) -> None:
    """From power on with a seed to armed: nobody can press, because this image has no fake board.

    Raises:
        CardError, NeverCameError: it did not come so far.
    """
    began_s = story.say("switched_on", machine="virt")
    bench.unit.switch_on()
    await asyncio.to_thread(
        bench.unit.wait_for, lambda said: ARMED.search(said) is not None, "a unit that is armed", PATIENCE_S
    )
    armed_s = story.say("armed")
    await bench.until_well()
    story.say("seen_by_central")
    story.say("measured", blank_card_to_armed_s=round(armed_s - began_s, 1))


def claims(image: Path, folder: Path, story: Story) -> None:
    """From power on to a unit that asks for its seed, on what QEMU has of a Pi 3B.

    Args:
        image: of the card.
        folder: for card and console.
        story: is told.

    Raises:
        CardError: it did not come so far.
    """
    card = folder / "card.img"
    new_card(image, card, CARD_MIB)
    unit = Unit(card, folder, machine="raspi3b")
    story.say("switched_on", machine="raspi3b")
    unit.switch_on()
    try:
        took_s = unit.wait_for(lambda said: ASKS.search(said) is not None, "a unit that claims", PATIENCE_S)
    finally:
        unit.cut()
    story.say("measured", power_on_to_claim_s=round(took_s, 1))
