"""How the last backup went: written by the command, read by central for its page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from central.backup.rules import Record
from runtime.atomic import PRIVATE, write_atomic


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
