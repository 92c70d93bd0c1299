"""Turns at writing: SQLite takes one writer at a time, and whoever finds it taken may be refused."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Turns:
    """Of the two writers of one database: whenever the journal waits it is next, after one transaction at most."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_taken = False
        self._journals_waiting = 0

    @contextlib.contextmanager
    def for_journal(self) -> Iterator[None]:
        """A turn for alerts and all that central does about them."""
        with self._changed:
            self._journals_waiting += 1
            self._changed.wait_for(lambda: not self._is_taken)
            self._journals_waiting -= 1
            self._is_taken = True
        yield from self._until_done()

    @contextlib.contextmanager
    def for_sessions(self) -> Iterator[None]:
        """A turn for the rest."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._is_taken or self._journals_waiting))
            self._is_taken = True
        yield from self._until_done()

    def _until_done(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()
