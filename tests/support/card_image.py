"""An image as it is written to a unit's card: an MBR, and a FAT as its first partition."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from wire.seed import SEED_FILE

_SECTOR: Final = 512
_FIRST: Final = 2048
_SECTORS: Final = 32_768
_SBIN: Final = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


def card_image(file: Path, *, kind: int = 0x0C, boot_file: str = "autoboot.txt") -> Path:
    """A new one; ``kind`` is of the first partition, ``boot_file`` what lies on it (empty = nothing)."""
    with file.open("wb") as image:
        entry = bytes([0, 0, 0, 0, kind, 0, 0, 0]) + _FIRST.to_bytes(4, "little") + _SECTORS.to_bytes(4, "little")
        image.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")
        image.truncate((_FIRST + _SECTORS) * _SECTOR)
    subprocess.run(
        ["mkfs.vfat", "-F", "16", "--offset", str(_FIRST), str(file), str(_SECTORS // 2)],
        check=True,
        capture_output=True,
        env=_SBIN,
    )
    if boot_file:
        put_on(file, boot_file, b"[all]\nboot_partition=2\n")
    return file


def put_on(image: Path, name: str, data: bytes) -> None:
    """A file on its FAT."""
    subprocess.run(["mcopy", "-i", _fat(image), "-o", "-", f"::/{name}"], input=data, check=True)


def files_on(image: Path) -> dict[str, bytes]:
    """All files of its FAT."""
    listed = subprocess.run(["mdir", "-i", _fat(image), "-b", "::/"], check=True, capture_output=True, text=True).stdout
    names = [line.rpartition("/")[2] for line in listed.splitlines() if line.strip()]
    return {
        name: subprocess.run(["mtype", "-i", _fat(image), f"::/{name}"], check=True, capture_output=True).stdout
        for name in names
    }


def free_bytes(image: Path) -> int:
    """Of its FAT."""
    listed = subprocess.run(["mdir", "-i", _fat(image), "::/"], check=True, capture_output=True, text=True).stdout
    return int(listed.strip().splitlines()[-1].strip().removesuffix(" bytes free").replace(" ", ""))


def fault_of(image: Path) -> str:
    """What ``fsck`` has to say of its FAT; empty = nothing."""
    fat = image.with_suffix(".fat")
    fat.write_bytes(image.read_bytes()[_FIRST * _SECTOR :])
    done = subprocess.run(["fsck.vfat", "-n", str(fat)], capture_output=True, text=True, env=_SBIN, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def seed_on(image: Path) -> bytes:
    """The seed there."""
    return files_on(image)[SEED_FILE]


def _fat(image: Path) -> str:
    return f"{image}@@{_FIRST * _SECTOR}"
