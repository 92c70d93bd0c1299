"""A folder of bundles, each named by its SHA-256: the fleet's, and the enrolment service's.

A bundle has hundreds of megabytes: it is never read whole into memory, never copied where it already lies, and stands
under its name only once it is whole and is what the name says.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import BinaryIO, Final

from runtime.atomic import PUBLIC, put_in_place
from runtime.folder_lock import folder_lock

SUFFIX: Final = ".raucb"
FREE_BYTES_KEPT: Final = 512 * 1024 * 1024
"""Others write to the same disk: central's alerts among them."""
_PIECE_BYTES: Final = 1024 * 1024
_NAME: Final = re.compile(r"([0-9a-f]{64})\.raucb")
_PART: Final = re.compile(r"\.[0-9a-f]{64}\.raucb\.[0-9a-f]{8}")


class BundleError(Exception):
    """A bundle that is not taken: a phrase for the engineer."""


class Stopped(Exception):  # noqa: N818 - nothing is wrong
    """The program is to end."""


def digest_of(path: Path, should_stop: Callable[[], bool] = lambda: False) -> str:
    """SHA-256 of a file's contents, hexadecimal.

    Raises:
        OSError: it cannot be read.
        Stopped: ``should_stop`` says so.
    """
    digest = hashlib.sha256()
    with path.open("rb") as reading:
        while piece := reading.read(_PIECE_BYTES):
            if should_stop():
                raise Stopped
            digest.update(piece)
    return digest.hexdigest()


class BundleFolder:
    """One folder; it is made when the first bundle comes. Two who change it wait for one another."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def path_of(self, sha256: str) -> Path:
        """Where that bundle lies, or would."""
        return self.path / f"{sha256}{SUFFIX}"

    def holds(self, sha256: str, size_bytes: int) -> bool:
        """Whether a file of that name and size lies there. What was put there was judged then."""
        try:
            return self.path_of(sha256).stat().st_size == size_bytes
        except OSError:
            return False

    def has_whole(self, sha256: str, size_bytes: int) -> bool:
        """Whether it lies there and is still what its name says: reads all of it."""
        try:
            return self.holds(sha256, size_bytes) and digest_of(self.path_of(sha256)) == sha256
        except OSError:
            return False

    def take(self, source: BinaryIO, sha256: str, size_bytes: int) -> None:
        """Put a bundle there.

        Args:
            source: its bytes.
            sha256: hexadecimal, what they must be.
            size_bytes: how many.

        Raises:
            BundleError: it is another, or the disk would be left too full; nothing was kept.
            OSError: the disk refuses.
        """
        self.path.mkdir(mode=0o755, exist_ok=True)
        with folder_lock(self.path):
            self._sweep()
            self._take(source, sha256, size_bytes)

    def _take(self, source: BinaryIO, sha256: str, size_bytes: int) -> None:
        free = shutil.disk_usage(self.path).free
        if free < size_bytes + FREE_BYTES_KEPT:
            raise BundleError(
                f"it needs {megabytes(size_bytes)}, and {megabytes(FREE_BYTES_KEPT)} must stay free:"
                f" {self.path} has {megabytes(free)}"
            )
        beside = self.path / f".{sha256}{SUFFIX}.{secrets.token_hex(4)}"
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PUBLIC), "wb") as file:  # noqa: PTH123 - with a mode
                os.fchmod(file.fileno(), PUBLIC)
                owner = self.path.stat()
                if os.geteuid() == 0 and owner.st_uid != 0:
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                digest, left = hashlib.sha256(), size_bytes
                while left and (piece := source.read(min(_PIECE_BYTES, left))):
                    digest.update(piece)
                    left -= len(piece)
                    file.write(piece)
                if left:
                    raise BundleError(f"{megabytes(size_bytes - left)} of {megabytes(size_bytes)} came")
                if digest.hexdigest() != sha256:
                    raise BundleError("it is not the bundle that the release names")
                file.flush()
                os.fsync(file.fileno())
            put_in_place(beside, self.path_of(sha256))
        finally:
            beside.unlink(missing_ok=True)

    def clean(self, keep: Collection[str]) -> int:
        """Delete all bundles but these, and what an interruption left. Returns how many bundles."""
        if not self.path.is_dir():
            return 0
        with folder_lock(self.path):
            self._sweep()
            names = (one.name for one in self.path.iterdir())
            gone = [name for name in names if (named := _NAME.fullmatch(name)) and named[1] not in keep]
            for name in gone:
                (self.path / name).unlink(missing_ok=True)
        return len(gone)

    def _sweep(self) -> None:
        for one in self.path.iterdir():
            if _PART.fullmatch(one.name):
                one.unlink(missing_ok=True)


def megabytes(count: int) -> str:
    """For people."""
    return f"{-(-count // 1_000_000)} MB"
