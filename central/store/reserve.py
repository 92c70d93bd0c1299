"""Room on the disk kept for the journal, beside its file: given up piece by piece when the disk is full.

A full disk on a Saturday night must not stop alerts before someone has made room.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

RESERVE_BYTES: Final = 8 * 1024 * 1024
"""Enough for some ten thousand alerts and what is done about them."""
PIECE_BYTES: Final = 64 * 1024
"""About what a commit needs. Whatever filled the disk may take the rest of one piece, but not the others."""


class Reserve:
    """A file whose blocks are already allocated. Never raises."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def is_whole(self) -> bool:
        """Whether none of it is given up."""
        return self._bytes() >= RESERVE_BYTES

    def fill(self) -> None:
        """Take back what is missing, if there is room for twice as much."""
        missing = RESERVE_BYTES - self._bytes()
        if missing <= 0:
            return
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self._path.parent).free < 2 * missing:
                return
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, RESERVE_BYTES)
            finally:
                os.close(file)

    def give_up(self) -> bool:
        """Leave a piece to the journal; returns whether there was one."""
        held = self._bytes()
        if held <= 0:
            return False
        left = max(0, held - PIECE_BYTES)
        try:
            os.truncate(self._path, left)
        except OSError as e:
            logger.error("the reserve %s cannot be given up: %s", self._path, e.strerror)  # noqa: TRY400
            return False
        if held >= RESERVE_BYTES:
            logger.error("the disk is full: the journal goes on in the reserve of %d bytes; make room now", held)
        elif not left:
            logger.error("the disk is full and the reserve is used up: alerts are stored only where there is room")
        return True

    def _bytes(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
