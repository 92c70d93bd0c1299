"""Tells the card's own program how the node is (:mod:`wire.unit_files`): the loop hands it over, a thread writes it.

The loop says when it was so. A loop that hangs hands over nothing, and the file grows old.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from runtime.atomic import PRIVATE, write_atomic
from runtime.monotonic import boottime_ms
from wire.messages import encode_message
from wire.unit_files import VITALS_FILE, Vitals

logger = logging.getLogger(__name__)

WRITE_EVERY_MS: Final = 10_000
SETTLE_S: Final = 0.2
"""What changes at a press waits this long: by then the alert has the processor no more, and a bounce has ended."""
_STOP_WAIT_S: Final = 0.5


def _write(file: Path, data: bytes) -> None:
    """Whole; where memory is full, over what lies there, whose room it has: a node that is not heard counts as dead."""
    try:
        write_atomic(file, data, PRIVATE)
    except OSError as e:
        if e.errno != errno.ENOSPC:
            raise
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, data.ljust(os.fstat(descriptor).st_size), 0)
        finally:
            os.close(descriptor)


class VitalsFile:
    """The file, in this program's own folder in memory. Latest wins."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / Path(VITALS_FILE).name
        self._changed = threading.Condition()
        self._told: Vitals | None = None
        self._waiting: Vitals | None = None
        self._is_closing = False
        self._is_failed = False
        self.due_ms = 0
        """When to :meth:`tell` again even if nothing has changed."""
        self._thread = threading.Thread(target=self._run, name="vitals", daemon=True)
        self._thread.start()

    def tell(self, vitals: Vitals, now_ms: int) -> None:
        """Write this soon, if it is news or time to. ``now_ms``: monotonic. Never waits for the disk."""
        if vitals == self._told and now_ms < self.due_ms:
            return
        self._told, self.due_ms = vitals, now_ms + WRITE_EVERY_MS
        with self._changed:
            self._waiting = replace(vitals, written_at_ms=boottime_ms())
            self._changed.notify()

    def close(self) -> None:
        """Write no more."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(_STOP_WAIT_S)

    def _run(self) -> None:
        while (vitals := self._next()) is not None:
            try:
                _write(self._file, encode_message(vitals))
                self._is_failed = False
            except Exception:
                if not self._is_failed:
                    logger.exception("how the node is cannot be told: without it the unit takes no update")
                self._is_failed = True

    def _next(self) -> Vitals | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._is_closing)
            self._changed.wait_for(lambda: self._is_closing, SETTLE_S)
            waiting, self._waiting = self._waiting, None
            return None if self._is_closing else waiting
