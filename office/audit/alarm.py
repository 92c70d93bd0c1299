"""What the publisher tells the pages: an alarm of the audit, and why nothing can be published.

Each is a file beside the snapshots and not in the database, for whoever meddles with the database must not be able to
hide it. Every page of a co-ordinator shows it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from runtime.atomic import write_atomic

FILE_NAME: Final = "audit-alarm.txt"
FAULT_FILE_NAME: Final = "publishing-fault.txt"
_BYTES_MAX: Final = 2_000
_READABLE: Final = 0o640


def read(folder: Path) -> str:
    """What is wrong with the audit; empty = nothing that the publisher knows of.

    Args:
        folder: of the snapshots.
    """
    try:
        return _read(folder / FILE_NAME)
    except OSError as e:
        return f"Whether the audit is in order cannot be read ({e.strerror}). Tell the fleet's engineer."


def write(folder: Path, text: str) -> None:
    """Raise the alarm, or end it by an empty text.

    Raises:
        OSError: the folder cannot be written.
    """
    _write(folder / FILE_NAME, text)


def read_fault(folder: Path) -> str:
    """Why the publisher cannot publish; empty = it can, as far as it knows."""
    try:
        return _read(folder / FAULT_FILE_NAME)
    except OSError as e:
        return f"{FAULT_FILE_NAME} cannot be read: {e.strerror}"


def write_fault(folder: Path, text: str) -> None:
    """Tell of a fault, or that it has passed by an empty text.

    Raises:
        OSError: the folder cannot be written.
    """
    _write(folder / FAULT_FILE_NAME, text)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as source:
            return source.read(_BYTES_MAX).decode(errors="replace").strip()
    except FileNotFoundError:
        return ""


def _write(file: Path, text: str) -> None:
    if text:
        write_atomic(file, f"{text}\n".encode(errors="replace"), _READABLE)
    else:
        file.unlink(missing_ok=True)
