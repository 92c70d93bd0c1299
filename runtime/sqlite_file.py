"""An SQLite file of one program alone: checked, migrated, whole steps, and why it refuses something, in words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

DAMAGED: Final = frozenset({"CORRUPT", "NOTADB"})
"""Kinds of refusal after which the file is of no more use."""

_REASONS: Final = {
    "FULL": "the disk is full",
    "READONLY": "the disk is read-only",
    "CORRUPT": "the database is damaged",
    "NOTADB": "the database is damaged",
    "IOERR": "the disk reports errors",
    "CANTOPEN": "{folder} cannot be opened",
    "BUSY": "another program uses {folder}",
    "PERM": "no right to write to {folder}",
    "NOMEM": "no memory left",
}


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


def take_alone(db: sqlite3.Connection) -> None:
    """Take the file for this program alone, and check it.

    What is committed is on the disk. Exclusive: two programs on one folder would each undo what the other keeps. It
    also avoids the -shm file.

    Raises:
        sqlite3.Error: it cannot be used; of :data:`DAMAGED` kind if it is damaged.
    """
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA cache_size=-1024")
    db.execute("PRAGMA wal_autocheckpoint=200")
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _DamagedError


def migrate(db: sqlite3.Connection, scripts: Sequence[str]) -> None:
    """Bring the file to the newest version.

    Args:
        db: opened without isolation level.
        scripts: one for each version, statements ended by semicolon and line feed. They only add: after a rollback
            the older program runs on the newer schema.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for number, script in enumerate(scripts[version:], start=version + 1):
        with transaction(db):
            for statement in script.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")


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


def read_value(db: sqlite3.Connection, key: str) -> bytes | None:
    """From ``kv``, the table of single values."""
    row = db.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def write_value(db: sqlite3.Connection, key: str, value: bytes | int) -> None:
    """To ``kv``, the table of single values; integers as eight bytes, big-endian."""
    blob = value.to_bytes(8, "big") if isinstance(value, int) else value
    db.execute("INSERT OR REPLACE INTO kv (key, value) VALUES (?, ?)", (key, blob))


def kind_of(error: Exception) -> str:
    """SQLite's primary result code, such as ``FULL``; empty = it is none of SQLite's errors."""
    name: str = getattr(error, "sqlite_errorname", "") or ""
    return name.removeprefix("SQLITE_").partition("_")[0]


def refusal(kind: str, error: Exception, folder: str) -> StoreRefusedError:
    """An error in words.

    Args:
        kind: of the error.
        error: what was raised.
        folder: what the people who read it call the folder.
    """
    reason = _REASONS.get(kind, "").format(folder=folder)
    return StoreRefusedError(reason or f"the database refuses: {error}", kind)
