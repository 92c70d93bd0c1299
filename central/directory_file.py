"""The directory's file: checked every second, verified, and reported once per change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from central.core.events import DirectoryChanged, DirectoryRefused
from wire.directory import EMPTY_DIRECTORY, Directory, open_directory
from wire.directory_succession import refusal
from wire.errors import DirectoryError
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import PublicKey

POLL_S: Final = 1.0
UNREADABLE: Final = "directory unreadable"
OLDER: Final = "directory older"


class Newest(Struct, frozen=True):
    """A verified directory and its sealed bytes; serial 0 = none."""

    directory: Directory = EMPTY_DIRECTORY
    data: bytes = b""


class DirectoryFile:
    """Checks one file. Never raises: a problem with the file becomes an event, once per change of the file."""

    def __init__(self, path: Path, authority: PublicKey, held: Directory, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._authority = authority
        self._held = held
        self._clock = clock
        self._mark: tuple[int, int, int] | None = None
        self._told = ""

    def look(self) -> DirectoryChanged | DirectoryRefused | None:
        """What has changed since the last look; ``None`` = nothing."""
        try:
            stat = self._path.stat()
            mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if mark == self._mark:
                return None
            with self._path.open("rb") as source:
                data = source.read(DIRECTORY_BYTES_MAX + 1)
        except OSError:
            self._mark = None
            return self._refuse_once(UNREADABLE)
        self._mark, self._told = mark, ""
        return self._judge(data)

    def _judge(self, data: bytes) -> DirectoryChanged | DirectoryRefused | None:
        try:
            directory = open_directory(data, self._authority)
        except DirectoryError as e:
            return DirectoryRefused(e.reason)
        if directory.serial == self._held.serial:
            return None
        if directory.serial < self._held.serial:
            return DirectoryRefused(OLDER)
        objection = refusal(directory, self._held, (int(self._clock().timestamp()),))
        if objection is not None:
            return DirectoryRefused(objection)
        self._held = directory
        return DirectoryChanged(directory, data)

    def _refuse_once(self, reason: str) -> DirectoryRefused | None:
        if self._told == reason:
            return None
        self._told = reason
        return DirectoryRefused(reason)


class DirectoryWatcher:
    """Looks on its own thread: verifying a directory of thousands takes longer than an alert may wait."""

    def __init__(self, file: DirectoryFile, put: Callable[[DirectoryChanged | DirectoryRefused], None]) -> None:
        self._file = file
        self._put = put
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="directory", daemon=True)

    def start(self) -> None:
        """Look every :data:`POLL_S` seconds."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._is_stopping.set()

    def _run(self) -> None:
        while not self._is_stopping.wait(POLL_S):
            found = self._file.look()
            if found is not None:
                self._put(found)


def open_kept(data: bytes | None, authority: PublicKey) -> Newest:
    """The database's directory; the empty one if there is none or it no longer verifies."""
    if data is None:
        return Newest()
    try:
        return Newest(open_directory(data, authority), data)
    except DirectoryError:
        # The authority's key has changed; the file will bring a new directory.
        return Newest()
