"""What the image says of itself: ``/usr/lib/watchlink/image.conf``, made with it, which shell scripts read as well."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from appliance.core.slot import Slot
from appliance.core.state import ASK_EVERY_MS
from appliance.errors import CardError
from wire.messages import Name, Slug

IMAGE_FILE: Final = Path("/usr/lib/watchlink/image.conf")


class Image(msgspec.Struct, frozen=True, rename="upper"):
    """Its lines, each ``NAME=value``."""

    version: Name
    compatible: Slug
    """``watchlink-pi`` or ``watchlink-pc``."""
    first_partition: str
    """The FAT with ``autoboot.txt`` and, at first, the seed."""
    data_partition: str
    root_a: str
    root_b: str
    """Both systems' partitions."""
    root_at: str
    """Where the booted system's partition is mounted, below the overlay in RAM."""
    hurry: int = 1
    """By how much the times of updates are shorter than in a shop: more than 1 in tests of an image, never on a Pi."""
    ask_every_s: int = ASK_EVERY_MS // 1_000
    """How often it asks for a release: oftener in tests of an image, never on a Pi."""
    stand_in: str = ""
    """A device that plays the firmware's flag for trying a system, where there is no Pi; empty = a Pi."""

    def root(self, slot: Slot) -> Path:
        """The partition of a system."""
        return Path(self.root_a if slot == "a" else self.root_b)


def load_image(path: Path = IMAGE_FILE) -> Image:
    """Read it.

    Raises:
        CardError: this is no such image.
    """
    try:
        lines = shlex.split(path.read_text(encoding="utf-8"), comments=True)
        fields: dict[str, Any] = dict(line.split("=", 1) for line in lines)
        image = msgspec.convert(fields, Image, strict=False)
    except (OSError, ValueError, msgspec.ValidationError) as e:
        raise CardError(f"{path} cannot be used: {e}") from e
    return image if image.stand_in else replace(image, hurry=1, ask_every_s=ASK_EVERY_MS // 1_000)


def lies_on(partition: Path, folder: Path) -> bool:
    """Whether a folder is that partition's: not another's, and not in memory."""
    try:
        return folder.stat().st_dev == partition.stat().st_rdev
    except OSError:
        return False
