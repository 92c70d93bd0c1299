"""A partition of the card, read and written in sectors: what :mod:`appliance.card.fat` stands on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from appliance.errors import CardError

SECTOR_BYTES: Final = 512
"""What the card writes whole or not at all."""


class Sectors(Protocol):
    """Where bytes are read, and whole sectors written."""

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``."""

    def write(self, offset: int, data: bytes) -> None:
        """One sector at ``offset``, which is on the card when this returns."""

    def wipe(self, offset: int, count: int) -> None:
        """Zeros over ``count`` bytes of whole sectors; after a power cut, over some of them."""


class Partition:
    """A block device, or a file that stands for one."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``.

        Raises:
            CardError: the card refuses, or ends before.
        """
        try:
            data = os.pread(self._descriptor, count, offset)
        except OSError as e:
            raise CardError(f"{self._path} cannot be read: {e.strerror}") from e
        if len(data) != count:
            raise CardError(f"{self._path} ends before it should")
        return data

    def write(self, offset: int, data: bytes) -> None:
        """One sector at ``offset``, which is on the card when this returns.

        Raises:
            CardError: the card refuses.
        """
        assert len(data) == SECTOR_BYTES, "a power cut would leave half of it"
        assert offset % SECTOR_BYTES == 0, "a power cut would leave half of it"
        self._put(offset, data)

    def wipe(self, offset: int, count: int) -> None:
        """Zeros over ``count`` bytes of whole sectors; after a power cut, over some of them.

        Raises:
            CardError: the card refuses.
        """
        self._put(offset, bytes(count))

    def _put(self, offset: int, data: bytes) -> None:
        try:
            os.pwrite(self._descriptor, data, offset)
            os.fsync(self._descriptor)
        except OSError as e:
            raise CardError(f"{self._path} cannot be written: {e.strerror}") from e


@contextmanager
def opened(path: Path, *, is_written: bool = False) -> Iterator[Partition]:
    """The partition, while it is open.

    Raises:
        CardError: it is not there, or may not be opened.
    """
    try:
        descriptor = os.open(path, (os.O_RDWR if is_written else os.O_RDONLY) | os.O_CLOEXEC)
    except OSError as e:
        raise CardError(f"{path} cannot be opened: {e.strerror}") from e
    try:
        yield Partition(descriptor, path)
    finally:
        os.close(descriptor)
