"""The folder beside the database in which backups are made and opened. Nothing readable ever lies elsewhere."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from central.store.reserve import RESERVE_BYTES
from runtime.backup_file import BackupError

_FOLDER: Final = ".backup"
_COPIES: Final = 3
"""Of the database, one beside another at the worst moment."""


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


@contextlib.contextmanager
def workspace(database: Path) -> Iterator[Path]:
    """An empty folder for its owner alone, removed at the end. What a killed run left behind is removed first.

    Raises:
        BackupError: another backup or restore is running, or the disk refuses.
    """
    folder = database.parent / _FOLDER
    with locked(
        database.parent / f"{_FOLDER}.lock", "another backup or restore of this central is running: wait for it"
    ):
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        except OSError as e:
            raise BackupError(f"{folder} cannot be made: {e.strerror}") from e
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def locked(file: Path, why: str) -> Iterator[None]:
    """Hold the lock of ``file``; the kernel lets go of it however we end.

    Raises:
        BackupError: somebody else holds it (``why``), or the disk refuses.
    """
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as e:
        raise BackupError(f"{file} cannot be used: {e.strerror}") from e
    try:
        owner = file.parent.stat()
        if os.geteuid() == 0:
            # Or central, which runs as somebody else, could not lock it any more.
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise BackupError(why) from e
        yield
    finally:
        os.close(descriptor)


def check_room(folder: Path, size_bytes: int) -> None:
    """A backup must never fill the disk that alerts need.

    Args:
        folder: on that disk.
        size_bytes: of the database.

    Raises:
        BackupError: too little is free.
    """
    needed, free = _COPIES * size_bytes + 4 * RESERVE_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"{folder} has {free // 2**20} MB free, and a backup needs {-(-needed // 2**20)}: make room there, as"
            " docs/runbook.md says under 'A full disk'"
        )
