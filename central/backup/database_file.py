"""Where central's database lies, and how much room a copy of it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from central.store.reserve import RESERVE_BYTES
from runtime.backup_file import BackupError

SPARE_BYTES: Final = 4 * RESERVE_BYTES
"""That alerts need."""
ROOM_ADVICE: Final = "make room there, as docs/runbook.md says under 'A full disk'"


def database_file(url: URL) -> Path:
    """Where the database is.

    Raises:
        BackupError: it is no file.
    """
    if url.get_backend_name() != "sqlite" or not url.database:
        raise BackupError(
            "the database is PostgreSQL's: make its backups with pg_dump, encrypt them with age, and restore them with"
            " pg_restore while central is stopped"
        )
    return Path(url.database)
