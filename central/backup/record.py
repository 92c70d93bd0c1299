"""How the last backup went: written by the command, read by central for its page."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from central.backup.rules import Record, trouble
from runtime.atomic import PRIVATE, write_atomic

LOOK_S: Final = 30.0


def read_record(file: Path) -> Record | None:
    """How the last one went; ``None`` = not known."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def keep_record(file: Path, record: Record) -> None:
    """Write it. Never raises: without it the page soon says that the backup is late."""
    with contextlib.suppress(OSError):
        write_atomic(file, msgspec.json.encode(record), PRIVATE)


class RecordWatcher:
    """Looks on a thread of its own, and tells what is wrong when that changes; empty = nothing."""

    def __init__(self, file: Path, tell: Callable[[str], None], clock: Callable[[], datetime]) -> None:
        self._file = file
        self._tell = tell
        self._clock = clock
        self._told = ""
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backup record", daemon=True)

    def start(self) -> None:
        """Look at once, and every :data:`LOOK_S` seconds."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._is_stopping.set()

    def look(self) -> None:
        """Look once."""
        found = trouble(read_record(self._file), self._clock())
        if found != self._told:
            self._told = found
            self._tell(found)

    def _run(self) -> None:
        while True:
            self.look()
            if self._is_stopping.wait(LOOK_S):
                return
