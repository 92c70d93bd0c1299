"""The publisher's part: takes in what shops report, and hands out what became of it. One look at a time.

Both ways are files: the machine port's, which is read, and ``outcomes.json`` in the folder of snapshots, which the port
reads. Neither program waits for the other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection
from django.utils import timezone

from office.breaches.intake import take_in
from office.breaches.telling import outcomes_now, signature
from office.gallery.outcomes_file import FILE_NAME, OutcomesFile, decode_outcomes, encode_outcomes
from office.nodes.config import load_configuration
from office.nodes.store import FILE_NAME as PORT_FILE_NAME
from office.nodes.store import StoreError
from runtime.atomic import write_atomic
from runtime.config import ConfigError

logger = logging.getLogger(__name__)

TOLD_WITHIN_S: Final = 1.0
"""After something has changed."""
AT_LEAST_EVERY_S: Final = 600.0
"""What is told for a month ends by itself."""
AGAIN_S: Final = 5.0
"""After a fault."""
_GROUP_READABLE: Final = 0o640
Mark = tuple[object, ...]


class BreachDesk:
    """From one thread.

    Args:
        nodes_file: the port's configuration; without it nobody reports anything.
        folder: of snapshots.
        mark: differs whenever another connection may have changed the database.
        on_taken: told how many reports are new, once they are in the database.
        clock_s: monotonic.
    """

    def __init__(
        self,
        nodes_file: Path,
        folder: Path,
        mark: Callable[[], Mark],
        on_taken: Callable[[int], None],
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._nodes_file = nodes_file
        self._file = folder / FILE_NAME
        self._mark = mark
        self._on_taken = on_taken
        self._clock_s = clock_s
        self._seen: Mark | None = None
        self._seen_database: Mark | None = None
        self._told_for: Mark | None = None
        self._told_s = self._looked_s = self._again_s = float("-inf")
        self._taken = 0
        self._fault = ""

    def look(self) -> None:
        """Take in what is new, and tell what has changed. Never raises."""
        if self._clock_s() < self._again_s:
            return
        try:
            self._take()
            self._tell()
        except Exception as e:  # noqa: BLE001 - whatever it is, the next look may be better
            self._again_s = self._clock_s() + AGAIN_S
            self._note(f"{type(e).__name__}: {e}", e)
            if isinstance(e, DatabaseError) and not connection.in_atomic_block:
                connection.close()
        else:
            self._fault = ""

    def _take(self) -> None:
        path = self._port_file()
        if path is None:
            return
        seen = _mark_of(path)
        if seen == self._seen:
            return
        new, self._taken = take_in(path)
        # The mark was taken first: what comes meanwhile is seen by the next look.
        self._seen = seen
        # No mark of others' changes shows what this connection has written.
        self._seen_database = None
        if new:
            self._on_taken(new)

    def _port_file(self) -> Path | None:
        if not self._nodes_file.exists():
            return None
        port = load_configuration(self._nodes_file)
        path = port.at(port.file.state_dir) / PORT_FILE_NAME
        return path if path.exists() else None

    def _tell(self) -> None:
        now_s = self._clock_s()
        mark = self._mark()
        is_fresh = now_s - self._told_s < AT_LEAST_EVERY_S
        if now_s - self._looked_s < TOLD_WITHIN_S or (is_fresh and mark == self._seen_database):
            return
        self._looked_s = now_s
        told_for = (*signature(), self._taken)
        if is_fresh and told_for == self._told_for:
            # Whatever has changed, such as a page that somebody has read, was no breach.
            self._seen_database = mark
            return
        file = outcomes_now(self._taken, timezone.now())
        if file != self._written():
            write_atomic(self._file, encode_outcomes(file), _GROUP_READABLE)
        self._seen_database, self._told_for, self._told_s = mark, told_for, now_s

    def _written(self) -> OutcomesFile:
        try:
            return decode_outcomes(self._file.read_bytes())
        except FileNotFoundError:
            return OutcomesFile()
        except (OSError, ValueError):
            return OutcomesFile(taken=-1)

    def _note(self, fault: str, error: Exception) -> None:
        if fault == self._fault:
            return
        self._fault = fault
        is_expected = isinstance(error, (DatabaseError, StoreError, ConfigError, OSError))
        logger.error("reports of shops cannot be dealt with now: %s", fault, exc_info=None if is_expected else error)


def _mark_of(path: Path) -> Mark:
    marks: list[object] = []
    for one in (path, path.with_name(f"{path.name}-wal")):
        try:
            status = one.stat()
        except OSError:
            marks.append(None)
        else:
            marks.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(marks)
