"""Looks again and again at something beside the alerts, on its own thread, and tells when what is wrong changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

LOOK_S: Final = 30.0


class Lookout:
    """One such thing.

    Args:
        about: what it is.
        judge: what is wrong now, in sentences; empty = nothing.
        tell: takes ``about`` and these sentences when they change.
    """

    def __init__(self, about: str, judge: Callable[[], str], tell: Callable[[str, str], None]) -> None:
        self._about = about
        self._judge = judge
        self._tell = tell
        self._told = ""
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{about} lookout", daemon=True)

    def start(self) -> None:
        """Look at once, and every :data:`LOOK_S` seconds."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._is_stopping.set()

    def look(self) -> None:
        """Look once. Never raises."""
        try:
            found = self._judge()
        except Exception:
            logger.exception("nobody knows how it is with the %s", self._about)
            return
        if found != self._told:
            self._told = found
            self._tell(self._about, found)

    def _run(self) -> None:
        while True:
            self.look()
            if self._is_stopping.wait(LOOK_S):
                return
