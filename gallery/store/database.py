"""The gallery's database file: opened, checked, migrated, its errors in words, and what is deleted out of its log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from runtime.atomic import PRIVATE, sync_folder
from runtime.sqlite_file import StoreRefusedError, kind_of, migrate, refusal, take_alone

DATABASE_NAME: Final = "gallery.db"

# One script per version. They only add: after a rollback the older program runs on the newer schema.
_MIGRATIONS: Final = (
    """
    CREATE TABLE galleries (
        scheme INTEGER PRIMARY KEY,
        title BLOB NOT NULL,             -- JSON of gallery.core.holdings.Title
        elsewhere BLOB NOT NULL,         -- JSON: cases that the office gave no key for
        digest TEXT NOT NULL             -- SHA-256 of all lines, as the head has it
    );
    CREATE TABLE lines (
        scheme INTEGER NOT NULL,
        case_number INTEGER NOT NULL,
        data BLOB NOT NULL,              -- as it came
        PRIMARY KEY (scheme, case_number)
    ) WITHOUT ROWID;
    CREATE TABLE key_slots (slot INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE staff_slots (slot INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE views (n INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    """,
)

_FOLDER: Final = "the gallery's folder"


def open_database(folder: Path) -> sqlite3.Connection:
    """Open the folder's database for this program alone, checked and migrated; made if missing.

    Raises:
        StoreRefusedError: with a kind of :data:`DAMAGED` if it must be begun anew.
    """
    path = folder / DATABASE_NAME
    try:
        is_new = not path.exists()
        path.touch(mode=PRIVATE)
        db = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as e:
        raise refused(e) from e
    try:
        _prepare(db)
        if is_new:
            sync_folder(folder)
    except (sqlite3.Error, OSError) as e:
        db.close()
        raise refused(e) from e
    return db


def remove_database(folder: Path) -> None:
    """Begin anew: the office has everything that is lost by it, except for views that it was never sent.

    Raises:
        StoreRefusedError: it cannot be removed.
    """
    try:
        for suffix in ("-wal", "-shm", ""):
            (folder / f"{DATABASE_NAME}{suffix}").unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as e:
        raise refused(e) from e


def _prepare(db: sqlite3.Connection) -> None:
    take_alone(db)
    db.execute("PRAGMA secure_delete=ON")
    db.execute("PRAGMA temp_store=MEMORY")
    migrate(db, _MIGRATIONS)
    # A power cut may have come between a deletion and the end of its log.
    empty_log(db)


def empty_log(db: sqlite3.Connection) -> None:
    """Write everything to its place, and cut the log off: what was overwritten still stands there.

    Raises:
        StoreRefusedError: it cannot be.
    """
    is_busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise StoreRefusedError("what was deleted is still in the database's log", "BUSY")


def refused(error: Exception) -> StoreRefusedError:
    """``error`` in words."""
    if not isinstance(error, OSError):
        return refusal(kind_of(error), error, _FOLDER)
    kind = {28: "FULL", 122: "FULL", 30: "READONLY"}.get(error.errno or 0, "IOERR")
    if kind == "IOERR":
        return StoreRefusedError(f"the disk refuses: {error.strerror}", kind)
    return refusal(kind, error, _FOLDER)
