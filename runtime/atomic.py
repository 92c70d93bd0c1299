"""Atomic file replacement: whatever happens, a file is wholly old or wholly new."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600
"""For keys and other files that only their owner may read."""
PUBLIC: Final = 0o644


def write_beside(path: Path, data: bytes, mode: int) -> Path:
    """Write ``data`` to a new file beside ``path``, sync it, and return its path.

    The file belongs to the folder's owner (so that root can renew what the broker's user must read) and has ``mode``
    from its first byte.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            owner = path.parent.stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


def put_in_place(beside: Path, path: Path) -> None:
    """Rename ``beside`` over ``path``, durably."""
    beside.replace(path)
    sync_folder(path.parent)


def write_atomic(path: Path, data: bytes, mode: int) -> None:
    """Replace ``path`` by ``data``: written beside it, synced, renamed."""
    put_in_place(write_beside(path, data, mode), path)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
