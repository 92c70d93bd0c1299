"""Who uses the office's database: its programs all together, or one who restores, alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from office.config import Configuration
from runtime.backup_workspace import locked

FOR_THE_GROUP: Final = 0o660
_RUNNING: Final = (
    "the office is running: stop it first (systemctl stop watchlink-office watchlink-office-publish), then restore"
    " again"
)
_RESTORING: Final = "the office is being restored: wait until that is done"


@contextlib.contextmanager
def in_use(configuration: Configuration, *, is_alone: bool = False) -> Iterator[None]:
    """Hold the database as one of those who use it, or alone.

    Raises:
        BackupError: it is held otherwise, or the disk refuses.
    """
    folder = configuration.photographs_folder.parent
    folder.mkdir(parents=True, exist_ok=True)
    why = _RUNNING if is_alone else _RESTORING
    with locked(folder / ".in-use.lock", why, is_shared=not is_alone, mode=FOR_THE_GROUP):
        yield
