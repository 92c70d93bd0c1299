"""The first partition of a card in memory, made by the real programs, which forgets everything from a write on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from appliance.card.partition import SECTOR_BYTES

FAT_MEGABYTES: Final = {16: 3, 32: 34}


class PowerCutError(Exception):
    """The power went before this write, or in the middle of wiping."""


class Card:
    """Sectors that are written whole, and wiped in part, until the power goes.

    Args:
        data: what is on it.
        writes_max: so many writes, and the next is a power cut; ``None`` = no end.
    """

    def __init__(self, data: bytes, writes_max: int | None = None) -> None:
        self.data = bytearray(data)
        self.writes: list[int] = []
        self.wipes: list[int] = []
        self._writes_max = writes_max

    def read(self, offset: int, count: int) -> bytes:
        return bytes(self.data[offset : offset + count])

    def write(self, offset: int, data: bytes) -> None:
        assert len(data) == SECTOR_BYTES
        assert offset % SECTOR_BYTES == 0
        if len(self.writes) == self._writes_max:
            raise PowerCutError
        self.writes.append(offset)
        self.data[offset : offset + SECTOR_BYTES] = data

    def wipe(self, offset: int, count: int) -> None:
        assert count % SECTOR_BYTES == offset % SECTOR_BYTES == 0
        if len(self.writes) == self._writes_max:
            half = count // SECTOR_BYTES // 2 * SECTOR_BYTES
            self.data[offset : offset + half] = bytes(half)
            raise PowerCutError
        self.writes.append(offset)
        self.wipes.append(offset)
        self.data[offset : offset + count] = bytes(count)


def fat_image(folder: Path, files: dict[str, bytes], bits: int = 16, deleted: tuple[str, ...] = ()) -> bytes:
    """A file system with these files, as ``mkfs.vfat`` and ``mcopy`` make it; some were deleted again by ``mdel``."""
    image = folder / "fat.img"
    image.unlink(missing_ok=True)
    run("truncate", f"--size={FAT_MEGABYTES[bits]}M", str(image))
    run("mkfs.vfat", "-F", str(bits), "-s", "1", str(image))
    for name, data in files.items():
        (folder / name).write_bytes(data)
        run("mcopy", "-i", str(image), str(folder / name), f"::{name}")
    for name in deleted:
        run("mdel", "-i", str(image), f"::{name}")
    return image.read_bytes()


def listed(folder: Path, card: bytes | bytearray) -> dict[str, bytes]:
    """What another program reads there; it says so if the file system is damaged."""
    image = folder / "read.img"
    image.write_bytes(card)
    run("fsck.vfat", "-n", str(image))
    names = run("mdir", "-b", "-i", str(image), "::").splitlines()
    return {
        name.removeprefix("::/"): subprocess.run(
            ["mtype", "-i", str(image), name], capture_output=True, check=True
        ).stdout
        for name in names
    }


def run(*command: str) -> str:
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(command, env=path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
