"""The folder in which backups are made and opened, and how what comes out of it is moved into place.

Nothing readable ever lies elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from runtime.atomic import PRIVATE, sync_folder, write_atomic
from runtime.backup_file import BackupError
from runtime.backup_rules import is_aside_outdated, stamp

_FOLDER: Final = ".backup"
_COPIES: Final = 3
"""Of all that is in a backup, one beside another at the worst moment."""


@contextlib.contextmanager
def workspace(beside: Path, whose: str) -> Iterator[Path]:
    """An empty folder for its owner alone, removed at the end. What a killed run left behind is removed first.

    Args:
        beside: a file or folder of the state.
        whose: such as ``central``, for people.

    Raises:
        BackupError: another backup or restore is running, or the disk refuses.
    """
    folder = beside.parent / _FOLDER
    with locked(beside.parent / f"{_FOLDER}.lock", f"another backup or restore of {whose} is running: wait for it"):
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
def locked(file: Path, why: str, *, is_shared: bool = False, mode: int = PRIVATE) -> Iterator[None]:
    """Hold the lock of ``file``; the kernel lets go of it however we end.

    Args:
        file: made if missing, for its folder's owner.
        why: what is said when somebody else holds it.
        is_shared: others may hold it so at the same time.
        mode: of a new file.

    Raises:
        BackupError: somebody else holds it (``why``), or the disk refuses.
    """
    try:
        # Root comes here too, and the folder is another user's: whatever a link there names must not become theirs.
        descriptor = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    except OSError as e:
        raise BackupError(f"{file} cannot be used: {e.strerror}") from e
    try:
        owner = file.parent.stat()
        if os.geteuid() == 0:
            # Or the program, which runs as somebody else, could not lock it any more.
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise BackupError(why) from e
        yield
    finally:
        os.close(descriptor)


def check_room(folder: Path, size_bytes: int, spare_bytes: int, advice: str) -> None:
    """A backup must never fill the disk that the state needs.

    Args:
        folder: on that disk.
        size_bytes: of the state.
        spare_bytes: what must be left.
        advice: how to make room.

    Raises:
        BackupError: too little is free.
    """
    needed, free = _COPIES * size_bytes + spare_bytes, shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(f"{folder} has {free // 2**20} MB free, and a backup needs {-(-needed // 2**20)}: {advice}")


def not_there(folder: Path) -> Path:
    """It, or the first with a number behind: who restores twice within a second keeps what was there each time."""
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain((folder,), numbered) if not path.exists())


def give(path: Path, like: Path) -> None:
    """Root restores for the user to whom the folder ``like`` belongs."""
    owner = like.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def place(file: Path, target: Path, like: Path, mode: int = PRIVATE) -> None:
    """Move a file there durably, for the user to whom the folder ``like`` belongs."""
    file.chmod(mode)
    give(file, like)
    with file.open("rb") as done:
        os.fsync(done.fileno())
    _rename(file, target)
    sync_folder(target.parent)


def move(file: Path, target: Path) -> None:
    """Set a file aside durably, as it is."""
    _rename(file, target)
    sync_folder(target.parent)
    sync_folder(file.parent)


def forget_aside(folder: Path, now_at: datetime, keep: timedelta) -> list[Path]:
    """Remove from ``folder`` what restores have set aside there longer than ``keep`` ago; returns what went."""
    outdated = (
        [path for path in folder.iterdir() if is_aside_outdated(path.name, now_at, keep)] if folder.is_dir() else []
    )
    for path in outdated:
        shutil.rmtree(path, ignore_errors=True)
    return [path for path in outdated if not path.exists()]


def _rename(file: Path, target: Path) -> None:
    """Also to another disk: at ``target`` it is never there in part."""
    try:
        file.rename(target)
    except OSError as e:
        if e.errno != errno.EXDEV:
            raise
        _copy(file, target)
        file.unlink()


def _copy(file: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with file.open("rb") as source, os.fdopen(os.open(part, flags, PRIVATE), "wb") as copy:
        of_source = os.fstat(source.fileno())
        if os.geteuid() == 0:
            os.fchown(copy.fileno(), of_source.st_uid, of_source.st_gid)
        os.fchmod(copy.fileno(), stat.S_IMODE(of_source.st_mode))
        shutil.copyfileobj(source, copy)
        copy.flush()
        os.fsync(copy.fileno())
    part.rename(target)
    sync_folder(target.parent)


def keep_configuration(data: bytes, file: Path, made_at: datetime) -> Path | None:
    """Lay a backup's configuration beside the one in use, if it says otherwise; returns where."""
    if data == file.read_bytes():
        return None
    beside = file.with_name(f"{file.name}.of-{stamp(made_at)}")
    write_atomic(beside, data, PRIVATE)
    return beside
