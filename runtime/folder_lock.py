"""One at a time: whoever changes files of a folder, in whatever program, while others wait."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def folder_lock(folder: Path, *, is_patient: bool = True) -> Iterator[None]:
    """Hold the folder's lock; it ends with the process, whatever happens to that.

    Raises:
        OSError: there is no such folder, or it may not be opened.
        BlockingIOError: somebody else holds it, and is not waited for.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if is_patient else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
