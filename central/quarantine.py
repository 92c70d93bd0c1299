"""Inputs that the rules failed on, in files for an engineer: our bug, and what triggered it.

Bounded in number and size. The first of each kind is kept, so a flood of bad input cannot push out what began it.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from central.core.effects import SetAside

logger = logging.getLogger(__name__)

FILES_MAX: Final = 64
CHARS_MAX: Final = 65_536
"""Of the input, and of the traceback before it."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Quarantine:
    """A folder, made when first needed. Never raises: something has already gone wrong."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        self._folder = folder
        self._clock = clock

    def keep(self, order: SetAside) -> None:
        """Log one; keep it if there is room and none like it: same kind, same traceback."""
        kind = type(order.what).__name__ if not isinstance(order.what, str) else order.what.strip("_")
        failed = "".join(traceback.format_exception(order.error))[-CHARS_MAX:]
        logger.error("set aside: %s\n%s", kind, failed)
        alike = hashlib.sha256(f"{kind} {failed}".encode("utf-8", "replace")).hexdigest()[:12]
        name = f"{self._clock():%Y%m%dT%H%M%SZ}-{kind}-{alike}.txt"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = [path.stem for path in self._folder.glob("*.txt")]
            if len(kept) >= FILES_MAX or any(stem.endswith(alike) for stem in kept):
                return
            text = f"{failed}\n{repr(order.what)[:CHARS_MAX]}\n"
            (self._folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as e:
            logger.warning("not kept in %s: %s", self._folder, e.strerror)
