"""The directory's file: checked every second, verified, and reported once per change.

What a delegate has signed is refused for a wrong clock, too. So it is judged again at each look, until it may be taken.
The authority's next directory knows nothing of what its delegate has added and struck until the delegate has signed for
that again. So it waits a few seconds, or a claimed shop's press would find nobody who knows the shop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from central.core.events import DirectoryChanged, DirectoryRefused
from runtime.regular_file import read_regular
from wire.directory import EMPTY_DIRECTORY, Directory, open_directory
from wire.directory_succession import Refusal, refusal
from wire.errors import DirectoryError
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import PublicKey

POLL_S: Final = 1.0
UNREADABLE: Final = "directory unreadable"
OLDER: Final = "directory older"
LOOKS_FOR_DELEGATE: Final = 5
"""Seconds that the authority's next directory waits for its delegate, who takes one or two. Whom it strikes is cut off
at the broker meanwhile."""


class Newest(Struct, frozen=True):
    """A verified directory and its sealed bytes; serial 0 = none."""

    directory: Directory = EMPTY_DIRECTORY
    data: bytes = b""


class DirectoryFile:
    """Checks the files. Never raises: a problem with one becomes an event, once per change of the file.

    Args:
        path: the authority's directory.
        authority: whose it has to be.
        held: the one in use.
        clocks: the time now, by each clock that may be right.
        delegated: where the authority's delegate puts the directory with its changes, if there is one. It may be
            missing: then there are no changes, and nothing of the delegate's keeps the authority's own from being read.
    """

    def __init__(
        self,
        path: Path,
        authority: PublicKey,
        held: Directory,
        clocks: Callable[[], Sequence[datetime]],
        delegated: Path | None = None,
    ) -> None:
        self._needed = path
        self._paths = (path,) if delegated is None else (path, delegated)
        self._authority = authority
        self._held = held
        self._clocks = clocks
        self._marks: dict[Path, tuple[int, int, int]] = {}
        self._put_off: dict[Path, Newest] = {}
        """Newer than the one held, by file, and not taken yet: time, or a clock that is set right, may change that."""
        self._waited = 0
        self._told: set[Path] = set()
        """Files that cannot be read, as was told."""

    def look(self) -> DirectoryChanged | DirectoryRefused | None:
        """What has changed since the last look; ``None`` = nothing. Of two changes the second is told at the next."""
        for path in self._paths:
            found = self._look_at(path)
            if found is not None:
                return found
        return None

    def _look_at(self, path: Path) -> DirectoryChanged | DirectoryRefused | None:
        try:
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if mark == self._marks.get(path):
                return self._look_again(path)
            # The delegate's folder is another program's: whoever takes that over keeps no word of the authority's out.
            data = read_regular(path, DIRECTORY_BYTES_MAX, may_be_link=path == self._needed)
        except OSError as e:
            self._marks.pop(path, None)
            self._put_off.pop(path, None)
            # A delegate's that is there but closed to us is a mistake: what was claimed is never heard of.
            is_fault = path == self._needed or not isinstance(e, FileNotFoundError)
            if not is_fault or path in self._told:
                return None
            self._told.add(path)
            return DirectoryRefused(UNREADABLE)
        self._marks[path] = mark
        self._put_off.pop(path, None)
        self._told.discard(path)
        return self._judge(path, data)

    def _look_again(self, path: Path) -> DirectoryChanged | None:
        newest = self._put_off.get(path)
        if newest is None or newest.directory.serial <= self._held.serial or self._objection(newest.directory):
            return None
        return None if self._waits_for_delegate(newest.directory) else self._take(path, newest)

    def _judge(self, path: Path, data: bytes) -> DirectoryChanged | DirectoryRefused | None:
        try:
            directory = open_directory(data, self._authority)
        except DirectoryError as e:
            return DirectoryRefused(e.reason)
        if directory.serial == self._held.serial:
            return None
        if directory.serial < self._held.serial:
            # The authority's own, whose delegate's changes are held already, is no step back.
            is_within = directory.base == self._held.base and not directory.is_delegated
            return None if is_within else DirectoryRefused(OLDER)
        objection = self._objection(directory)
        if objection is not None or self._waits_for_delegate(directory):
            self._put_off[path] = Newest(directory, data)
            return None if objection is None else DirectoryRefused(objection)
        return self._take(path, Newest(directory, data))

    def _objection(self, directory: Directory) -> Refusal | None:
        return refusal(directory, self._held, [int(time.timestamp()) for time in self._clocks()])

    def _waits_for_delegate(self, directory: Directory) -> bool:
        is_without = self._held.is_delegated and not directory.is_delegated
        is_delegates_file_here = any(path != self._needed and _is_there(path) for path in self._paths)
        # One that ends or changes the delegation is taken at once: the delegate's key may be stolen.
        if not is_without or directory.delegation != self._held.delegation or not is_delegates_file_here:
            return False
        self._waited += 1
        return self._waited <= LOOKS_FOR_DELEGATE

    def _take(self, path: Path, newest: Newest) -> DirectoryChanged:
        self._put_off.pop(path, None)
        self._waited = 0
        self._held = newest.directory
        return DirectoryChanged(newest.directory, newest.data)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False  # Also in a folder that its owner has closed.
    return True


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
