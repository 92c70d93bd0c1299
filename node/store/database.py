"""The database file: opens, checks and migrates it, words its errors, and sets it aside when damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runtime.atomic import sync_folder
from runtime.sqlite_file import StoreRefusedError, kind_of, migrate, read_value, refusal, take_alone

DATABASE_NAME: Final = "node.db"

# One script per version. They only add: after a rollback the older program runs on the newer schema.
_MIGRATIONS: Final = (
    """
    CREATE TABLE outbox (
        counter INTEGER PRIMARY KEY,     -- 1 … 2^32-1
        data BLOB NOT NULL,              -- the signed frame, as sent every time
        stored_at_s INTEGER NOT NULL,    -- Unix time, 0 = clock not proven
        stored_ms INTEGER NOT NULL,      -- monotonic clock of that boot
        boot TEXT NOT NULL,              -- the machine's boot id
        is_receipted INTEGER NOT NULL DEFAULT 0,
        receipted_at_s INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX outbox_receipted ON outbox (is_receipted, receipted_at_s);
    CREATE TABLE inbox (
        node INTEGER NOT NULL,
        counter INTEGER NOT NULL,
        digest BLOB NOT NULL,            -- SHA-256 of the bytes
        is_shown INTEGER NOT NULL,
        seen_at_s INTEGER NOT NULL,      -- 0 = clock not proven
        PRIMARY KEY (node, counter)
    );
    CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    """,
    # 1 … 5, the highest urgency shown; NULL = none, or an older program did not record it.
    "ALTER TABLE inbox ADD COLUMN shown_priority INTEGER",
    # Each sender's highest counter ever seen, even after the inbox has forgotten its frames.
    """
    CREATE TABLE senders (node INTEGER PRIMARY KEY, highest INTEGER NOT NULL);
    INSERT INTO senders SELECT node, max(counter) FROM inbox GROUP BY node;
    """,
)
SCHEMA_VERSION: Final = len(_MIGRATIONS)

OutboxRow = tuple[int, bytes, int, int, str, int, int]
OUTBOX_COLUMNS: Final = "counter, data, stored_at_s, stored_ms, boot, is_receipted, receipted_at_s"


def open_database(folder: Path) -> sqlite3.Connection:
    """Open ``folder``'s database for this program alone, checked and migrated; made if missing.

    Raises:
        StoreRefusedError: with a kind of :data:`DAMAGED` if it must be set aside.
    """
    path = folder / DATABASE_NAME
    try:
        is_new = not path.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise StoreRefusedError(f"{folder}: {e.strerror}", "CANTOPEN") from e
    try:
        db = sqlite3.connect(path, timeout=0.2, isolation_level=None)
    except sqlite3.Error as e:
        raise refused(e, folder) from e
    try:
        take_alone(db)
        migrate(db, _MIGRATIONS)
        if is_new:
            # SQLite syncs the folder for its journal, not for the database file itself.
            sync_folder(folder)
    except (sqlite3.Error, OSError) as e:
        db.close()
        raise refused(e, folder) from e
    return db


def set_aside(folder: Path, is_ours: Callable[[OutboxRow], bool]) -> tuple[str, list[OutboxRow], int]:
    """Rename the damaged database; returns the rows of its outbox that can still be read and are ``is_ours``.

    Returns:
        The new name, the rows, and the end of the reserve of numbers (0 = unreadable).

    Raises:
        StoreRefusedError: it cannot be renamed.
    """
    path = folder / DATABASE_NAME
    legible: list[OutboxRow] = []
    counter = 0
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=0.2)) as db:
        with contextlib.suppress(sqlite3.Error, TypeError):
            counter = read_number(db, "counter")
        for row in db.execute(f"SELECT {OUTBOX_COLUMNS} FROM outbox NOT INDEXED ORDER BY counter"):  # noqa: S608
            if is_ours(row):
                legible.append(row)  # noqa: PERF401 - what was read before an error is kept
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = f"{DATABASE_NAME}.damaged-{stamp}"
    try:
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{DATABASE_NAME}{suffix}").replace(folder / f"{aside}{suffix}")
    except OSError as e:
        raise StoreRefusedError(f"{path}: damaged, and cannot be set aside: {e.strerror}", "CANTOPEN") from e
    return aside, legible, counter


def read_number(db: sqlite3.Connection, key: str) -> int:
    """Read an integer from the table of single values; 0 if there is none."""
    return int.from_bytes(read_value(db, key) or b"", "big")


def refused(error: Exception, folder: Path) -> StoreRefusedError:
    """``error`` in words."""
    kind = kind_of(error)
    # A file system that turns read-only under an open file is reported as an input/output error.
    if kind in {"IOERR", "CANTOPEN"} and _is_read_only(folder):
        kind = "READONLY"
    return refusal(kind, error, "the state folder")


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False
