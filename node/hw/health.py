"""Reports once that a part failed, and once that it works again."""

from __future__ import annotations

import logging
import threading

from node.core.controls import Part
from node.core.events import Emit, PartFailed, PartRecovered
from node.hw.errors import one_line

logger = logging.getLogger(__name__)


class PartHealth:
    """The last report about one part. Safe from any thread."""

    def __init__(self, part: Part, emit: Emit) -> None:
        self.part = part
        self._emit = emit
        self._lock = threading.Lock()
        self._is_failed = False

    @property
    def is_failed(self) -> bool:
        """Whether ``PartFailed`` was the last report."""
        return self._is_failed

    def fail(self, detail: str, *, is_retry: bool = False) -> None:
        """Report ``PartFailed``, unless already reported; always in answer to a retry."""
        with self._lock:
            if self._is_failed and not is_retry:
                return
            is_news = not self._is_failed
            self._is_failed = True
            self._emit(PartFailed(self.part, one_line(detail)))
        if is_news:
            logger.warning("%s failed: %s", self.part, one_line(detail))

    def recover(self) -> None:
        """Report ``PartRecovered``, if ``PartFailed`` was the last report."""
        with self._lock:
            if not self._is_failed:
                return
            self._is_failed = False
            self._emit(PartRecovered(self.part))
        logger.info("%s works again", self.part)
