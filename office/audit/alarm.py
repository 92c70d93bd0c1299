"""The alarm of the audit: a file that the publisher writes and every page of a co-ordinator shows.

It lies beside the snapshots and not in the database, for whoever meddles with the database must not be able to hide it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from office.accounts.access import rights
from office.config import Configuration
from runtime.atomic import write_atomic

FILE_NAME: Final = "audit-alarm.txt"
_BYTES_MAX: Final = 2_000
_READABLE: Final = 0o640


def read(folder: Path) -> str:
    """What is wrong with the audit; empty = nothing that the publisher knows of.

    Args:
        folder: of the snapshots.
    """
    try:
        with (folder / FILE_NAME).open("rb") as source:
            return source.read(_BYTES_MAX).decode(errors="replace").strip()
    except OSError:
        return ""


def write(folder: Path, text: str) -> None:
    """Raise the alarm, or end it by an empty text.

    Raises:
        OSError: the folder cannot be written.
    """
    if text:
        write_atomic(folder / FILE_NAME, f"{text}\n".encode(), _READABLE)
    else:
        (folder / FILE_NAME).unlink(missing_ok=True)


def banner(request: HttpRequest) -> dict[str, str]:
    """``audit_alarm`` for templates: for co-ordinators only."""
    office: Configuration | None = settings.OFFICE
    if office is None or not (hasattr(request, "user") and rights(request).co_ordinates):
        return {}
    return {"audit_alarm": read(office.snapshots_folder)}
