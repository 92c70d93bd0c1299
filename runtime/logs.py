"""JSON logs on standard error, for people and journald; JSON facts on standard output, for programs.

A fact is one line: ``{"at_ms": …, "fact": …, "node": …, "alert": …}`` and details. ``at_ms`` is the machine's
monotonic clock, so the facts of several programs on one machine can be put in order.
"""

from __future__ import annotations

import io
import json
import logging
import os
import select
import sys
import threading
import time
from collections import deque
from typing import Final, TextIO

from pythonjsonlogger.json import JsonFormatter

logger = logging.getLogger(__name__)

WAITING_LINES_MAX: Final = 10_000
_PIPE_BUF: Final = 4096


class PatientWriter:
    """A text stream that never blocks its writer: lines for a slow reader are queued, up to a limit.

    Lines beyond :data:`WAITING_LINES_MAX` are dropped and counted. Safe to call from any thread.

    Attributes:
        dropped: lines that found no room, since start.
    """

    def __init__(self, out: TextIO) -> None:
        self.dropped = 0
        self._out = out
        self._lock = threading.RLock()
        self._waiting: deque[bytes] = deque()
        self._descriptor: int | None = None
        self._poll = select.poll()
        try:
            out.flush()
            self._descriptor = out.fileno()
        except (OSError, ValueError, io.UnsupportedOperation):
            return  # in memory, or closed
        self._poll.register(self._descriptor, select.POLLOUT)

    def write(self, line: str) -> int:
        """Write one whole line, at once if the reader has room.

        Raises:
            OSError: the reader is gone.
        """
        with self._lock:
            if self._descriptor is None:
                return self._out.write(line)
            if len(self._waiting) < WAITING_LINES_MAX:
                self._waiting.append(line.encode(errors="replace"))
            else:
                self.dropped += 1
            # A pipe that polls as writable takes 4096 bytes without blocking (POSIX, PIPE_BUF). Python's own
            # buffer is avoided: data left in it by a vanished reader would spoil the exit status.
            while self._waiting and self._poll.poll(0):
                rest = self._waiting.popleft()
                written = os.write(self._descriptor, rest[:_PIPE_BUF])
                if written < len(rest):
                    self._waiting.appendleft(rest[written:])
        return len(line)

    def flush(self) -> None:
        """Does nothing: every write is flushed, or waits for the reader."""


def set_up_logging(level: str = "INFO") -> None:
    """Send every log record to standard error, one JSON object per line."""
    handler = logging.StreamHandler(PatientWriter(sys.stderr))
    handler.setFormatter(
        JsonFormatter("{levelname}{name}{message}", style="{", rename_fields={"levelname": "level"}, timestamp=True)
    )
    # Print no tracebacks when nobody reads the log any more.
    logging.raiseExceptions = False
    logging.basicConfig(level=level, handlers=[handler], force=True)


class FactLog:
    """Writes facts. A reader that is slow or gone (a closed pipe) never stops the writer.

    Safe to call from any thread.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = PatientWriter(sys.stdout if out is None else out)
        self._is_open = True

    def write(self, fact: str, **details: object) -> None:
        """Write one fact as one line."""
        if not self._is_open:
            return
        at_ms = round(time.monotonic_ns() / 1_000_000, 3)
        line = json.dumps({"at_ms": at_ms, "fact": fact, **details}, ensure_ascii=False)
        try:
            self._out.write(line + "\n")
        except (OSError, ValueError):
            self._is_open = False
            logger.warning("nobody reads the facts any more: no more are written")
