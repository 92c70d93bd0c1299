"""A file that somebody else replaces while a program runs: a directory, open claims, revocation lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from runtime.regular_file import read_regular
from wire.errors import WireError

T = TypeVar("T")


class WatchedFile(Generic[T]):
    """A file's contents, read again whenever it was replaced. A damaged one leaves the last good contents in force.

    Args:
        path: the file.
        read: its bytes → contents; raises :class:`WireError`, or ``ValueError`` with a phrase.
        bytes_max: no more is read, and one byte; of a larger file ``read`` says that it is damaged.
        on_fault: takes one sentence when what is wrong changes, and ``""`` when all is well again.
    """

    def __init__(self, path: Path, read: Callable[[bytes], T], bytes_max: int, on_fault: Callable[[str], None]) -> None:
        self._path = path
        self._read = read
        self._bytes_max = bytes_max
        self._on_fault = on_fault
        self._mark: tuple[int, int, int] | None = None
        self._fault = ""
        self.contents: T | None = None

    def look(self) -> bool:
        """Read it if it has changed. Returns whether there are new contents."""
        try:
            stat = self._path.stat()
            mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if mark == self._mark:
                return False
            data = read_regular(self._path, self._bytes_max)
            self._mark = mark
            self.contents = self._read(data)
        except OSError as e:
            self._mark = None
            self._tell(f"{self._path} cannot be read: {e.strerror}")
            return False
        except (WireError, ValueError) as e:
            self._tell(f"{self._path} cannot be used, the one before stays in force: {e}")
            return False
        self._tell("")
        return True

    def _tell(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            self._on_fault(fault)
