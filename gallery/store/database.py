"""The gallery's database file: opened, checked, migrated, its errors in words, and what is deleted out of its log."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runtime.atomic import PRIVATE, sync_folder

logger = logging.getLogger(__name__)

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

_REASONS: Final = {
    "FULL": "the disk is full",
    "READONLY": "the disk is read-only",
    "CORRUPT": "the database is damaged",
    "NOTADB": "the database is damaged",
    "IOERR": "the disk reports errors",
    "CANTOPEN": "the gallery's folder cannot be opened",
    "BUSY": "another program uses the gallery's folder",
    "PERM": "no right to write to the gallery's folder",
    "NOMEM": "no memory left",
}
DAMAGED: Final = frozenset({"CORRUPT", "NOTADB"})


class StoreRefusedError(Exception):
    """Nothing of it is on the disk; the message is the reason, in one line.

    Attributes:
        kind: SQLite's primary result code (``FULL``, ``READONLY``, ``CORRUPT`` …), or ``""``.
    """

    def __init__(self, reason: str, kind: str = "") -> None:
        self.kind = kind
        super().__init__(reason)


class _DamagedError(sqlite3.DatabaseError):
    sqlite_errorname = "SQLITE_CORRUPT"


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
    # Exclusive: two programs on one folder would each destroy what the other keeps. It also avoids the -shm file.
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("PRAGMA cache_size=-1024")
    db.execute("PRAGMA wal_autocheckpoint=200")
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _DamagedError
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        with transaction(db):
            for statement in script.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")
    # A power cut may have come between a deletion and the end of its log.
    empty_log(db)


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, on the disk at the end."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def empty_log(db: sqlite3.Connection) -> None:
    """Write everything to its place, and cut the log off: what was overwritten still stands there.

    Raises:
        StoreRefusedError: it cannot be.
    """
    is_busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise StoreRefusedError("what was deleted is still in the database's log", "BUSY")


def read_value(db: sqlite3.Connection, key: str) -> bytes | None:
    """From the table of single values."""
    row = db.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def write_value(db: sqlite3.Connection, key: str, value: bytes) -> None:
    """To the table of single values."""
    db.execute("INSERT OR REPLACE INTO kv (key, value) VALUES (?, ?)", (key, value))


def refused(error: Exception) -> StoreRefusedError:
    """``error`` in words."""
    if isinstance(error, OSError):
        kind = {28: "FULL", 122: "FULL", 30: "READONLY"}.get(error.errno or 0, "IOERR")
        return StoreRefusedError(_REASONS[kind] if kind != "IOERR" else f"the disk refuses: {error.strerror}", kind)
    name: str = getattr(error, "sqlite_errorname", "") or ""
    kind = name.removeprefix("SQLITE_").partition("_")[0]
    return StoreRefusedError(_REASONS.get(kind, f"the database refuses: {error}"), kind)
