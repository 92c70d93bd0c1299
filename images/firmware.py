"""A stand-in for the Pi's firmware: from a card it finds out what to start, as a Pi does, and QEMU starts that.

It reads the partition table, ``autoboot.txt``, ``config.txt`` and the command line from the card, and knows nothing of
how the card was made. It does not stand for the Pi's boot ROM and EEPROM, nor for its device tree; whether a Pi's
firmware knows each word, only a Pi proves (docs/hardware.md).

Sources: Raspberry Pi documentation, *config.txt*: "autoboot.txt", "Conditional filters", "tryboot".
"""

from __future__ import annotations

import shlex
import struct
import subprocess
from pathlib import Path
from typing import Final

from msgspec import Struct

from images.errors import CardError

SECTOR_BYTES: Final = 512
_TABLE_AT: Final = 446
_ENTRY: Final = struct.Struct("<B3sB3sII")
_EXTENDED: Final = (0x05, 0x0F)
_LOGICAL_FROM: Final = 5
_LOGICAL_MAX: Final = 16
FIRST_PARTITION: Final = 1
_REVISION: Final = "a02082"
"""Of a Pi 3B (Raspberry Pi documentation, "Raspberry Pi revision codes")."""
_SERIAL: Final = "00000000574c4b31"


class Partition(Struct, frozen=True):
    """Of a card, in sectors."""

    number: int
    kind: int
    begins: int
    length: int

    @property
    def begins_bytes(self) -> int:
        """Where it begins."""
        return self.begins * SECTOR_BYTES


class Start(Struct, frozen=True):
    """What the firmware starts.

    Attributes:
        partition: from which it was read.
        kernel, initramfs: files, in a folder of the caller's.
        command_line: of the kernel.
        overlays: device tree overlays, in order.
    """

    partition: int
    kernel: Path
    initramfs: Path
    command_line: str
    overlays: tuple[Path, ...]


def partitions_of(card: Path) -> dict[int, Partition]:
    """By number, as Linux counts them: logical ones from 5 on.

    Raises:
        CardError: there is no MBR.
    """
    with card.open("rb") as reading:

        def table(sector: int) -> list[tuple[int, int, int]]:
            reading.seek(sector * SECTOR_BYTES)
            data = reading.read(SECTOR_BYTES)
            if len(data) < SECTOR_BYTES or data[510:] != b"\x55\xaa":
                raise CardError(f"{card}: sector {sector} holds no partition table")
            entries = (_ENTRY.unpack_from(data, _TABLE_AT + 16 * place) for place in range(4))
            return [(kind, begins, length) for _, _, kind, _, begins, length in entries]

        found: dict[int, Partition] = {}
        for place, (kind, begins, length) in enumerate(table(0)):
            if kind:
                found[place + 1] = Partition(place + 1, kind, begins, length)
        extended = next((one for one in found.values() if one.kind in _EXTENDED), None)
        at = extended.begins if extended else 0
        while extended and len(found) < _LOGICAL_MAX:
            (kind, begins, length), (following, further, _), *_ = table(at)
            number = max(_LOGICAL_FROM, max(found) + 1)
            found[number] = Partition(number, kind, at + begins, length)
            if not following:
                break
            at = extended.begins + further
    return found


def boot_partition(card: Path, *, is_trying: bool) -> int:
    """From which it starts: ``autoboot.txt`` on the first partition says it.

    Raises:
        CardError: it says nothing.
    """
    said = _settings(_file(card, FIRST_PARTITION, "autoboot.txt").decode("ascii"), tryboot=is_trying)
    number = said.get("boot_partition", "")
    if not number.isdecimal():
        raise CardError(f"{card}: autoboot.txt names no boot partition")
    return int(number)


def start_of(card: Path, folder: Path, *, is_trying: bool) -> Start:
    """Read what is to be started into files in ``folder``.

    Raises:
        CardError: something that is needed is not on the card. A Pi would show its rainbow, or nothing.
    """
    number = boot_partition(card, is_trying=is_trying)
    said = _settings(_file(card, number, "config.txt").decode("ascii"), boot_partition=str(number))
    initramfs = said.get("initramfs", "").split()
    if "kernel" not in said or not initramfs:
        raise CardError(f"{card}: config.txt on partition {number} names no kernel or no initramfs")
    line = _file(card, number, said.get("cmdline", "cmdline.txt")).decode("ascii").strip()

    def taken(name: str) -> Path:
        file = folder / name.replace("/", "-")
        file.write_bytes(_file(card, number, name))
        return file

    overlays = tuple(taken(f"overlays/{name}.dtbo") for name in said.get("dtoverlay", "").split("\n") if name)
    return Start(number, taken(said["kernel"]), taken(initramfs[0]), line, overlays)


def device_tree(card: Path, start: Start, board: str, folder: Path) -> Path:
    """The board's device tree with the overlays over it, as the firmware hands it to the kernel; a file in ``folder``.

    The firmware writes into it, too, which board it is: gpiozero looks for that.

    Raises:
        CardError: it is not on the card, or an overlay does not fit.
    """
    plain, whole = folder / f"{board}.dtb", folder / "device-tree.dtb"
    plain.write_bytes(_file(card, start.partition, plain.name))
    _run("fdtoverlay", "-i", str(plain), "-o", str(whole), *map(str, start.overlays))
    _run("fdtput", "-p", "-t", "x", str(whole), "/system", "linux,revision", _REVISION)
    _run("fdtput", "-t", "s", str(whole), "/", "serial-number", _SERIAL)
    return whole


def file_names(card: Path, number: int) -> list[str]:
    """Of the top folder of one of the card's FAT partitions, deleted ones left out.

    Raises:
        CardError: it is no FAT.
    """
    said = _run("mdir", "-b", "-i", _place(card, number), "::")
    return [line.removeprefix("::/") for line in said.decode("utf-8").splitlines() if line]


def _place(card: Path, number: int) -> str:
    partition = partitions_of(card).get(number)
    if partition is None:
        raise CardError(f"{card}: there is no partition {number}")
    return f"{card}@@{partition.begins_bytes}"


def _file(card: Path, number: int, name: str) -> bytes:
    return _run("mtype", "-i", _place(card, number), f"::{name}")


def _run(*words: str) -> bytes:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise CardError(f"{shlex.join(words)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _settings(text: str, *, tryboot: bool = False, boot_partition: str = "") -> dict[str, str]:
    """What holds, of a file with filters; of words that may come more than once, each on a line."""
    is_meant = True
    said: dict[str, str] = {}
    for line in (one.strip() for one in text.splitlines()):
        if line.startswith("["):
            name = line.strip("[]")
            is_meant = {"all": True, "tryboot": tryboot}.get(name, name == f"boot_partition={boot_partition}")
        elif is_meant and line and not line.startswith("#"):
            key, _, value = line.replace(" ", "=", 1).partition("=") if "=" not in line else line.partition("=")
            said[key] = f"{said[key]}\n{value}" if key == "dtoverlay" and key in said else value
    return said
