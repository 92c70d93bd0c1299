"""How the last backup went: written by the command, read by the program whose page tells of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from runtime.atomic import PRIVATE, write_atomic
from runtime.backup_rules import Record


def read_record(file: Path) -> Record | None:
    """How the last one went; ``None`` = not known."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def keep_record(file: Path, record: Record, mode: int = PRIVATE) -> None:
    """Write it. Never raises: without it the page soon says that the backup is late."""
    with contextlib.suppress(OSError):
        write_atomic(file, msgspec.json.encode(record), mode)
