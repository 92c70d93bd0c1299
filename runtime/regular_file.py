"""Reads a file out of a folder where somebody else may put things: another program's user, who may be an enemy.

A pipe of that name waits for a writer for ever, a device has no end, and whoever owns a file can hold up its opening by
a lease. None of that holds up who reads here: it is an ``OSError`` at once.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class NoFileError(OSError):
    """It is a folder, a pipe or a device."""


def read_regular(path: Path, bytes_max: int, *, may_be_link: bool = True) -> bytes:
    """The contents of a regular file, and at most one byte more than ``bytes_max``: the caller refuses what is longer.

    Args:
        path: the file.
        bytes_max: so much may it hold.
        may_be_link: whether it may be a symbolic link to the file.

    Raises:
        NoFileError: it is something else than a file.
        OSError: it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if may_be_link else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoFileError(errno.EINVAL, "it is not a file", str(path))
    with os.fdopen(descriptor, "rb") as source:
        return source.read(bytes_max + 1)
