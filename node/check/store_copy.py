"""The node's store, looked at in a copy: a running node has its database open for itself alone, and is not disturbed.

Only numbers leave this module, and the directory, which every member has anyway.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from node.step import Outcome, Step, bad, not_done, ok
from node.store.database import DATABASE_NAME, SCHEMA_VERSION, read_number
from node.store.remembered import TESTED
from runtime.sqlite_file import read_value

_COPIED_BYTES_MAX: Final = 256 * 1024 * 1024
_TRIES: Final = 5
_COUNTS: Final = {
    "frames": "SELECT count(*) FROM outbox",
    "frames_without_receipt": "SELECT count(*) FROM outbox WHERE is_receipted = 0",
    "seen": "SELECT count(*) FROM inbox",
    "senders": "SELECT count(*) FROM senders",
}


class StoreLook(Struct, frozen=True):
    """What the store is like.

    Attributes:
        step: in words.
        figures: counts and sizes, no contents.
        directory: the sealed directory that the node keeps, or ``None``.
    """

    step: Step
    figures: dict[str, int] = field(default_factory=dict)
    directory: bytes | None = None


def look_at_store(state_dir: Path | None) -> StoreLook:
    """Copy it while nothing writes to it, open the copy, and count."""
    if state_dir is None:
        return StoreLook(not_done("store", "not looked at: the configuration must be right first"))
    database = state_dir / DATABASE_NAME
    try:
        sizes = _sizes(state_dir)
        if not database.exists():
            return StoreLook(not_done("store", "none yet: the node makes it at its first start"), sizes)
        with tempfile.TemporaryDirectory(prefix="watchlink-check-", dir=_room()) as folder:
            return _look(database, Path(folder), sizes)
    except OSError as e:
        return StoreLook(_refused(e, database))


def _refused(error: OSError, database: Path) -> Step:
    match error:
        case PermissionError():
            advice = "run it as root: sudo watchlink node check …"
            return Step("store", Outcome.UNSEEN, f"{error.filename or database}: no right to look", advice)
        case FileNotFoundError():
            return not_done("store", f"none yet: {error.filename or database} is missing")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return not_done("store", "not looked at: there is no room for a copy of it")
        case _:
            advice = (
                "if the disk reports errors, the card is worn out: change it (runbook, 'card that cannot be written')"
            )
            return bad("store", f"{database}: {error.strerror}", advice)


def _look(database: Path, folder: Path, sizes: dict[str, int]) -> StoreLook:
    if sizes["database_bytes"] > _COPIED_BYTES_MAX:
        advice = "ask the fleet's engineer: a healthy store is a few megabytes"
        return StoreLook(bad("store", f"{database} has {sizes['database_bytes'] // 1_000_000} MB", advice), sizes)
    if not _copy(database, folder):
        return StoreLook(
            not_done("store", "the node writes all the time: no whole copy could be made", "try again"), sizes
        )
    try:
        with closing(sqlite3.connect(folder / DATABASE_NAME, isolation_level=None)) as db:
            return _opened(db, sizes)
    except sqlite3.Error as e:
        advice = "restart the node: it sets the damaged file aside and saves what can be read; then change the card"
        return StoreLook(bad("store", f"{database} is damaged: {e}", advice), sizes)


def _opened(db: sqlite3.Connection, sizes: dict[str, int]) -> StoreLook:
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("it does not pass SQLite's check")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    figures = sizes | {"schema": version}
    for name, question in _COUNTS.items():
        with suppress(sqlite3.OperationalError):  # a table that an older version does not have
            (figures[name],) = db.execute(question).fetchone()
    figures["last_test_at_s"] = read_number(db, TESTED)
    directory = read_value(db, "directory")
    waiting = figures.get("frames_without_receipt", 0)
    text = f"opens and is sound: {figures.get('frames', 0)} frames, {waiting} without central's receipt"
    if aside := sizes["damaged_files"]:
        advice = "the card is failing: change it (runbook, 'card that cannot be written')"
        return StoreLook(bad("store", f"{text}; {aside} damaged files were set aside", advice), figures, directory)
    if version > SCHEMA_VERSION:
        text += "; a newer version made it, and this one reads it"
    return StoreLook(ok("store", text), figures, directory)


def _copy(database: Path, folder: Path) -> bool:
    """Copy database and write-ahead log; whether nothing was written meanwhile."""
    wal = database.with_name(database.name + "-wal")
    for _ in range(_TRIES):
        before = _marks(database, wal)
        for source in (database, wal):
            copy = folder / source.name
            copy.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(source, copy)
        if before == _marks(database, wal):
            return True
    return False


def _marks(*files: Path) -> list[tuple[int, int, int] | None]:
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            now = file.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((now.st_ino, now.st_size, now.st_mtime_ns))
    return found


def _sizes(state_dir: Path) -> dict[str, int]:
    """Bytes of the files that the node makes, by what they are for; names that nobody made are only counted."""
    sizes = {"database_bytes": 0, "log_bytes": 0, "damaged_files": 0, "phrases": 0, "other_files": 0, "other_bytes": 0}
    for entry in os.scandir(state_dir):
        if entry.name == "phrases":
            sizes["phrases"] = sum(1 for _ in Path(entry.path).iterdir())
        elif entry.name == DATABASE_NAME:
            sizes["database_bytes"] = entry.stat().st_size
        elif entry.name == f"{DATABASE_NAME}-wal":
            sizes["log_bytes"] = entry.stat().st_size
        elif entry.name.startswith(f"{DATABASE_NAME}.damaged-"):
            sizes["damaged_files"] += not entry.name.endswith(("-wal", "-shm"))
        else:
            sizes["other_files"] += 1
            sizes["other_bytes"] += entry.stat(follow_symlinks=False).st_size
    return sizes


def _room() -> str | None:
    """In memory, if there is room: the card may be full, and should not be written for a look."""
    memory = "/dev/shm"  # noqa: S108 - a folder of our own is made in it
    return memory if os.access(memory, os.W_OK) else None
