"""The proof that a copy of the database is one that central can begin with."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL

from central.core.journal import Recall
from central.store.database import Database
from central.store.errors import StoreError
from central.store.recalling import recall
from runtime.backup_file import BackupError


def schema_of(file: Path) -> str:
    """The migration that a database stands at."""
    with contextlib.closing(sqlite3.connect(file)) as disk:
        (schema,) = disk.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(schema)


@contextlib.contextmanager
def begun(file: Path, now_at: datetime) -> Iterator[tuple[Database, Recall]]:
    """The database, found whole, brought to this program's schema, and read as at a start. Not for central's own.

    Raises:
        BackupError: it is damaged, of a newer version, or cannot be read.
    """
    try:
        with contextlib.closing(sqlite3.connect(file)) as disk:
            found = [row[0] for row in disk.execute("PRAGMA integrity_check(1)")]
    except sqlite3.DatabaseError as e:
        found = [str(e)]
    if found != ["ok"]:
        raise BackupError(f"the database is damaged ({found[0]}): take an older backup")
    database = Database(URL.create("sqlite", database=str(file)))
    try:
        database.open()
        yield database, recall(database, now_at)
    except StoreError as e:
        raise BackupError(str(e)) from e
    finally:
        database.close()
