"""What goes wrong with a card: sectors that refuse, and a data partition that is full.

Sectors refuse by QEMU's own driver for that, blkdebug, while the file that stands for the card stays whole. The data
partition is filled by e2fsprogs through a loop device, which needs root's rights: nothing is mounted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from images.card import ROOT_PARTITIONS
from images.errors import CardError
from images.firmware import SECTOR_BYTES, partitions_of
from images.programs import run

DATA_PARTITION: Final = 7
_EIO: Final = 5
_FILLER: Final = "filler"
_TOOLS: Final = {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
"""Where e2fsprogs lie."""


class BadSectors(Struct, frozen=True):
    """Of a card.

    Attributes:
        refused: what they refuse; each other access succeeds.
        sectors: counted from the card's beginning; empty = all of the card.
    """

    refused: Literal["read", "write"]
    sectors: tuple[int, ...] = ()


def faults(bad: tuple[BadSectors, ...]) -> str:
    """The same, as blkdebug reads it (QEMU, docs/devel/testing/blkdebug.rst).

    A request that touches a bad sector fails whole.
    """
    lines = []
    for one in bad:
        rule = f'[inject-error]\nevent = "none"\niotype = "{one.refused}"\nerrno = "{_EIO}"\n'
        lines += [f'{rule}sector = "{sector}"\n' for sector in one.sectors] or [rule]
    return "\n".join(lines)


def in_root(card: Path, slot: Literal["a", "b"], offset_bytes: int) -> int:
    """The sector of the card that lies there in a slot's root."""
    return partitions_of(card)[ROOT_PARTITIONS[slot]].begins + offset_bytes // SECTOR_BYTES


def of_superblock(card: Path) -> tuple[int, ...]:
    """The sectors of the data partition that say what it is."""
    begins = partitions_of(card)[DATA_PARTITION].begins
    return (begins + 2, begins + 3)  # ext4: 1,024 bytes from byte 1,024 on.


def of_file(card: Path, path: str) -> tuple[int, ...]:
    """The first sector of each block of a file on the data partition of a card that is in no machine.

    Raises:
        CardError: there is no such file, or it is empty.
    """
    with _data(card) as device:
        said = run("debugfs", "-R", f"blocks {path}", device, env=_TOOLS).split()
        per_block = _figure(device, "Block size") // SECTOR_BYTES
    blocks = [int(number) for number in said if number.isdecimal()]
    if not blocks:
        raise CardError(f"{card}: there is no {path} on the data partition")
    begins = partitions_of(card)[DATA_PARTITION].begins
    return tuple(begins + block * per_block for block in blocks)


def fill(card: Path) -> None:
    """Let one file take all that is free on the data partition of a card that is in no machine.

    Raises:
        CardError: something is still free.
    """
    with _data(card) as device:
        free = _figure(device, "Free blocks")
        run("debugfs", "-w", "-R", f"write /dev/null {_FILLER}", device, env=_TOOLS)
        # It takes what it gets, and then says that there is no more: its own extents need some blocks, too.
        run("debugfs", "-w", "-R", f"fallocate {_FILLER} 0 {free - 1}", device, env=_TOOLS)
        left = _figure(device, "Free blocks")
    if left:
        raise CardError(f"{card}: {left} blocks of its data partition are still free")


def make_room(card: Path) -> None:
    """Take that file away again."""
    with _data(card) as device:
        run("debugfs", "-w", "-R", f"rm {_FILLER}", device, env=_TOOLS)


@contextmanager
def _data(card: Path) -> Iterator[str]:
    """The data partition as a device, checked: after a power cut its newest changes are in the journal alone."""
    found = partitions_of(card)[DATA_PARTITION]
    where = ("--offset", str(found.begins_bytes), "--sizelimit", str(found.length * SECTOR_BYTES))
    device = run("losetup", "--find", "--show", *where, card).strip()
    try:
        run("sh", "-c", 'e2fsck -fy "$0" || [ $? -lt 4 ]', device, env=_TOOLS)
        yield device
    finally:
        run("losetup", "--detach", device)


def _figure(device: str, name: str) -> int:
    said = run("debugfs", "-R", "stats -h", device, env=_TOOLS)
    found = re.search(rf"(?m)^{name}:\s*(\d+)$", said)
    if found is None:
        raise CardError(f"{device}: debugfs does not say “{name}”")
    return int(found[1])
