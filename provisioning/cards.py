"""A unit's card, as the place where its seed goes: mounted, or as it is, without root and without mounting.

The image has an MBR, and its first partition is a FAT, which any system can read. mtools writes into it.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from provisioning.errors import FleetError, FleetInputError
from runtime.atomic import PRIVATE, sync_folder
from wire.seed import SEED_FILE

SECTOR_BYTES: Final = 512
BOOT_FILE: Final = "autoboot.txt"
"""On every card of ours, and on hardly any other: the Pi's firmware reads by it which system to start."""
_MBR_MARK: Final = b"\x55\xaa"
_FIRST_ENTRY: Final = 446
_ENTRY_BYTES: Final = 16
_GPT: Final = 0xEE
_FATS: Final = frozenset({0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E})
_FAT_NAMES_AT: Final = (54, 82)
"""Where FAT16 and FAT32 name themselves in their first sector."""
_TOOL_WITHIN_S: Final = 60
_DEVICES: Final = Path("/sys/dev/block")
"""The kernel's, by number; a partition's folder is in its disk's."""
_NOT_WRITTEN: Final = "write the Watchlink image to it first"


class Card(Protocol):
    """Where a seed goes; ``str`` names it for people."""

    def check(self) -> None:
        """Whether a seed can be written there.

        Raises:
            FleetInputError: it cannot, or must not.
        """

    def seed_there(self, bytes_max: int) -> bytes | None:
        """What stands there under a seed's name; ``None`` = nothing that can be read."""

    def write(self, data: bytes) -> None:
        """Write the seed, durably.

        Raises:
            FleetError: the card refused.
        """


class MountedCard:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / SEED_FILE

    def __str__(self) -> str:
        """The file."""
        return str(self._file)

    def check(self) -> None:
        """See :class:`Card`."""
        if not self._folder.is_dir():
            raise FleetInputError(f"{self._folder} is no folder: is the card in, and mounted?")

    def seed_there(self, bytes_max: int) -> bytes | None:
        """See :class:`Card`."""
        try:
            with self._file.open("rb") as reading:
                return reading.read(bytes_max)
        except OSError:
            return None

    def write(self, data: bytes) -> None:
        """See :class:`Card`. For its owner alone where the card can say so."""
        beside = self._folder / f".{SEED_FILE}.new"
        try:
            beside.unlink(missing_ok=True)
            # The mode from the beginning, and not by chmod: a card's FAT knows no modes, and refuses to set one.
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
            with os.fdopen(descriptor, "wb") as writing:
                writing.write(data)
                writing.flush()
                os.fsync(writing.fileno())
            beside.replace(self._file)
            sync_folder(self._folder)
        except OSError as e:
            raise FleetError(f"{self._file} cannot be written: {e.strerror}.") from e


class WholeCard:
    """A card that is not mounted: its device, or the file of an image."""

    def __init__(self, card: Path) -> None:
        self._card = card

    def __str__(self) -> str:
        """The card."""
        return str(self._card)

    def check(self) -> None:
        """See :class:`Card`."""
        card = self._card
        fat = self._fat()
        names = self._run("mdir", fat, "-b", "::/")
        if names is None or BOOT_FILE.encode() not in _last_parts(names):
            raise FleetInputError(f"{card} is no card of Watchlink: {_NOT_WRITTEN}.")

    def seed_there(self, bytes_max: int) -> bytes | None:
        """See :class:`Card`."""
        found = self._run("mtype", self._fat(), f"::/{SEED_FILE}")
        return None if found is None else found[:bytes_max]

    def write(self, data: bytes) -> None:
        """See :class:`Card`."""
        fat = self._fat()
        self._run("mcopy", fat, "-o", "-", f"::/{SEED_FILE}", given=data)
        try:
            descriptor = os.open(self._card, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as e:
            raise FleetError(f"{self._card} cannot be written: {e.strerror}.") from e
        # Its status says nothing: on a full card it is 0.
        if self.seed_there(len(data) + 1) != data:
            self._run("mdel", fat, f"::/{SEED_FILE}")
            raise FleetError(f"{self._card} did not keep what was written: it is full or damaged. Take another card.")

    def _fat(self) -> str:
        """The first partition, as mtools names it.

        Raises:
            FleetInputError: there is none that a seed could go to, or the card cannot be used now.
        """
        sector, size_bytes = self._first_sector()
        kind = sector[_FIRST_ENTRY + 4]
        if self._card.is_file() and any(sector[at:].startswith(b"FAT") for at in _FAT_NAMES_AT):
            raise FleetInputError(
                f"{self._card} is one partition alone: give the whole card, such as /dev/sdb, or the whole image."
            )
        if len(sector) < SECTOR_BYTES or sector[-2:] != _MBR_MARK or not any(sector[_FIRST_ENTRY:-2]):
            raise FleetInputError(f"{self._card} has no partitions: {_NOT_WRITTEN}.")
        if kind == _GPT:
            raise FleetInputError(f"{self._card} has a GPT, so it is no card of Watchlink: {_NOT_WRITTEN}.")
        if kind not in _FATS:
            raise FleetInputError(f"The first partition of {self._card} is no FAT: {_NOT_WRITTEN}.")
        if any(end * SECTOR_BYTES > size_bytes for end in _ends(sector)):
            raise FleetInputError(
                f"{self._card} ends before its last partition: the image is cut short, write it again."
            )
        first = int.from_bytes(sector[_FIRST_ENTRY + 8 : _FIRST_ENTRY + 12], "little")
        return f"{self._card}@@{first * SECTOR_BYTES}"

    def _first_sector(self) -> tuple[bytes, int]:
        """With the size of all."""
        card = self._card
        try:
            found = card.stat()
            mode = found.st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
                raise FleetInputError(
                    f"{card} is neither a card's device, such as /dev/sdb, nor an image. For a card that is mounted:"
                    " 'watchlink fleet seed --to FOLDER'."
                )
            # By O_EXCL the kernel refuses a device of which anything is mounted.
            is_device = stat.S_ISBLK(mode)
            if is_device and (whole := _disk_of(found.st_rdev)):
                raise FleetInputError(f"{card} is one partition of a card: give the whole card, {whole}.")
            descriptor = os.open(card, os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if is_device else 0))
            try:
                sector = os.pread(descriptor, SECTOR_BYTES, 0).ljust(SECTOR_BYTES, b"\0")
                return sector, os.lseek(descriptor, 0, os.SEEK_END)
            finally:
                os.close(descriptor)
        except OSError as e:
            raise FleetInputError(f"{card} cannot be used: {_why(e)}.") from e

    def _run(self, tool: str, fat: str, *arguments: str, given: bytes = b"") -> bytes | None:
        """What a tool of mtools says; ``None`` = it failed."""
        # The card's geometry is made up; mtools would refuse some for it.
        surroundings = {"PATH": os.environ.get("PATH", os.defpath), "MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": os.devnull}
        try:
            done = subprocess.run(  # noqa: S603 - the tool is one of four, and the card the engineer's
                [tool, "-i", fat, *arguments],
                input=given,
                capture_output=True,
                env=surroundings,
                timeout=_TOOL_WITHIN_S,
                check=False,
            )
        except FileNotFoundError as e:
            raise FleetInputError("mtools is missing, which writes to cards: apt install mtools.") from e
        except (OSError, subprocess.TimeoutExpired) as e:
            raise FleetError(f"{self._card} cannot be used: {tool} has not ended ({e}).") from e
        return done.stdout if done.returncode == 0 else None


def _ends(sector: bytes) -> Iterator[int]:
    """The sectors behind the partitions."""
    for entry in range(_FIRST_ENTRY, SECTOR_BYTES - len(_MBR_MARK), _ENTRY_BYTES):
        yield sum(int.from_bytes(sector[entry + at : entry + at + 4], "little") for at in (8, 12))


def _disk_of(device: int) -> str:
    """The disk whose partition that is; empty = it is no partition."""
    here = (_DEVICES / f"{os.major(device)}:{os.minor(device)}").resolve()
    return f"/dev/{here.parent.name}" if (here / "partition").exists() else ""


def _last_parts(listed: bytes) -> frozenset[bytes]:
    return frozenset(line.rpartition(b"/")[2].strip().lower() for line in listed.splitlines())


def _why(error: OSError) -> str:
    told = {
        errno.EBUSY: "it is mounted. Unmount it first (umount, or the button in the file manager), and leave it in",
        errno.EACCES: "it may not be written by you. Put 'sudo' before this, or join the group disk",
        errno.EROFS: "it may not be written. Is the card's lock switched on?",
        errno.ENOENT: "there is no such file or device. Is the card in? 'lsblk' lists them",
        errno.ENOMEDIUM: "there is no card in the reader",
    }
    return told.get(error.errno or 0, error.strerror or str(error))
