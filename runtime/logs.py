"""JSON logs on standard error for people and journald; JSON facts on standard output for programs.

A fact is one line: ``{"at_ms": …, "fact": …, "node": …, "alert": …}`` and details. ``at_ms`` is the machine's
monotonic clock, so the facts of several programs on one machine can be put in order.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

logger = logging.getLogger(__name__)


def set_up_logging(level: str = "INFO") -> None:
    """Send every log record to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter("{levelname}{name}{message}", style="{", rename_fields={"levelname": "level"}, timestamp=True)
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


class FactLog:
    """Writes facts. A reader that went away (a closed pipe) never hurts the writer: facts end, work goes on.

    Safe to call from any thread.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._lock = threading.Lock()
        self._is_open = True

    def write(self, fact: str, **details: object) -> None:
        """One line, flushed."""
        if not self._is_open:
            return
        at_ms = round(time.monotonic_ns() / 1_000_000, 3)
        line = json.dumps({"at_ms": at_ms, "fact": fact, **details}, ensure_ascii=False)
        with self._lock:
            try:
                self._out.write(line + "\n")
                self._out.flush()
            except (OSError, ValueError):
                self._is_open = False
                logger.warning("nobody reads the facts any more")
