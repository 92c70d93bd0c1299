"""The release in force, and its bundles: judged here before any unit hears of it.

Files come from the fleet: ``release.json`` beside the open claims, bundles in ``releases/`` there. To judge a bundle
means to read all of it, so it is done on a thread of its own, and again only if its file was replaced.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from runtime.bundle_folder import BundleFolder, Stopped, digest_of
from runtime.logs import FactLog
from runtime.watched_file import WatchedFile
from wire.fleet_files import RELEASE, RELEASES
from wire.limits import RELEASE_BYTES_MAX
from wire.release import Bundle, Release, open_release
from wire.signing import PublicKey

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0

Mark = tuple[int, int, int]
"""Of a file as it was judged: when it was changed, its size, its number."""


class JudgedFile(Struct, frozen=True):
    """A bundle's file."""

    path: Path
    mark: Mark

    @property
    def is_unchanged(self) -> bool:
        """Whether it is still the file that was judged."""
        return mark_of(self.path) == self.mark


class InForce(Struct, frozen=True):
    """What units are told.

    Attributes:
        sealed: the signed release, as the fleet made it.
        release: the same, read.
        files: by SHA-256. All that the release names; of a paused one those that are here.
    """

    sealed: bytes
    release: Release
    files: Mapping[str, JudgedFile]


class Releases:
    """Watches the fleet's files. ``in_force`` is replaced whole, from this thread alone; anybody may read it.

    Args:
        folder: where the fleet's files are.
        authority: whose word a release is.
        facts: what happens is told here.
    """

    def __init__(self, folder: Path, authority: PublicKey, facts: FactLog) -> None:
        self._authority = authority
        self._facts = facts
        self._bundles = BundleFolder(folder / RELEASES)
        self._file: WatchedFile[tuple[bytes, Release]] = WatchedFile(
            folder / RELEASE, self._open, RELEASE_BYTES_MAX, self._note_fault
        )
        self._path = folder / RELEASE
        self._judged: dict[str, tuple[Mark, bool]] = {}
        self._told: object = None
        self._trouble = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="releases")
        self.in_force: InForce | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether the fleet has brought one, in force or not."""
        return self._path.exists()

    def start(self) -> None:
        """Look again and again, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        self._thread.join()

    def look(self) -> None:
        """Put what the fleet has brought in force, if all of it is here."""
        if self._path.exists():
            self._file.look()
        if self._file.contents is None:
            return
        sealed, release = self._file.contents
        files, lacking = {}, []
        for bundle in release.bundles:
            mark = self._judge(bundle)
            if mark is None:
                lacking.append(bundle)
            else:
                files[bundle.sha256] = JudgedFile(self._bundles.path_of(bundle.sha256), mark)
        held = self.in_force
        # Nobody begins a paused one: that it is paused must not wait for a bundle. And one in force stays so.
        if not lacking or release.state == "paused" or (held is not None and held.sealed == sealed):
            self.in_force = InForce(sealed, release, files)
        self._tell(release, lacking)

    def _open(self, data: bytes) -> tuple[bytes, Release]:
        release, held = open_release(data, self._authority), self._file.contents
        if held is not None and data != held[0] and release.serial <= held[1].serial:
            raise ValueError("older than the one before")
        return data, release

    def _judge(self, bundle: Bundle) -> Mark | None:
        """Of the bundle's file; ``None`` = it is not there, or is another."""
        path = self._bundles.path_of(bundle.sha256)
        mark = mark_of(path)
        if mark is None or mark[1] != bundle.size_bytes:
            return None
        if self._judged.get(bundle.sha256, (None, False))[0] != mark:
            try:
                is_it = digest_of(path, self._stopping.is_set) == bundle.sha256
            except OSError:
                return None
            if mark_of(path) != mark:
                return None  # Replaced meanwhile: the next look judges it.
            self._judged[bundle.sha256] = mark, is_it
        return mark if self._judged[bundle.sha256][1] else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Stopped:
                return
            except Exception as e:
                if repr(e) != self._trouble:  # Not every second.
                    logger.exception("the release could not be looked at")
                self._trouble = repr(e)
            self._stopping.wait(LOOK_S)

    def _tell(self, release: Release, lacking: list[Bundle]) -> None:
        held = self.in_force
        is_in_force = held is not None and held.release.serial == release.serial
        told = (release.serial, is_in_force, tuple(one.compatible for one in lacking))
        if told == self._told:
            return
        self._told = told
        for one in lacking:
            logger.error(
                "RELEASE %s (number %d) lacks its bundle for %s: %s is not there, or is another",
                release.version,
                release.serial,
                one.compatible,
                self._bundles.path_of(one.sha256),
            )
        self._facts.write(
            "release",
            serial=release.serial,
            version=release.version,
            state=release.state,
            is_in_force=is_in_force,
            lacks=[one.compatible for one in lacking],
        )

    def _note_fault(self, fault: str) -> None:
        if fault:
            logger.error("%s", fault)


def mark_of(path: Path) -> Mark | None:
    """Of a file; ``None`` = it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - on the path of each request
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
