"""Open pages, and what they are told at once: lock, ask anew, how the unit is. On the page's loop alone.

======= ==================================== ===================================================
event   data                                 the page
======= ==================================== ===================================================
lock    ``{}``                               takes every face away, and is locked
redraw  ``{}``                               asks what may still be shown
unit    the strip, as :func:`unit_line`      shows it
beat    ``{}``                               knows that it is heard; without it, it locks itself
======= ==================================== ===================================================
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import msgspec

LISTENERS_MAX: Final = 64
PIECES_MAX: Final = 64
BEAT_S: Final = 5.0


def piece(event: str, data: object = msgspec.UNSET) -> bytes:
    """One event as it is sent."""
    text = b"{}" if data is msgspec.UNSET else msgspec.json.encode(data)
    return b"event: %b\ndata: %b\n\n" % (event.encode(), text)


LOCK: Final = piece("lock")
REDRAW: Final = piece("redraw")
BEAT: Final = piece("beat")


class TooManyPagesError(Exception):
    """No more can be open at a time."""


class Listener:
    """One page's stream.

    Attributes:
        session: whose page; ``None`` = it is locked.
        farewell: sent after the end.
    """

    def __init__(self, session: str | None) -> None:
        self.session = session
        self.farewell = b""
        self._pieces: deque[bytes] = deque()
        self._has_news = asyncio.Event()
        self._end = asyncio.Event()

    def put(self, data: bytes) -> None:
        """Add an event; a page that is too far behind is cut off, and comes back."""
        if len(self._pieces) >= PIECES_MAX:
            self.end()
            return
        self._pieces.append(data)
        self._has_news.set()

    def end(self, farewell: bytes = b"") -> None:
        """Send no more but this."""
        self.farewell = farewell
        self._pieces.clear()
        self._end.set()
        self._has_news.set()

    async def wait_end(self) -> None:
        """Wait until :meth:`end` is called."""
        await self._end.wait()

    async def next(self) -> bytes | None:
        """Wait for events and return all of them; ``None`` at the end."""
        while not self._pieces:
            if self._end.is_set():
                return None
            self._has_news.clear()
            await self._has_news.wait()
        sent = b"".join(self._pieces)
        self._pieces.clear()
        return sent


class Streams:
    """All pages that are open."""

    def __init__(self) -> None:
        self._open: set[Listener] = set()

    @property
    def are_open(self) -> bool:
        """Whether anybody listens."""
        return bool(self._open)

    def join(self, session: str | None) -> Listener:
        """A page listens.

        Raises:
            TooManyPagesError: too many do.
        """
        if len(self._open) >= LISTENERS_MAX:
            raise TooManyPagesError
        listener = Listener(session)
        listener.put(BEAT)
        self._open.add(listener)
        return listener

    def leave(self, listener: Listener) -> bool:
        """It does not listen any more; returns whether it did."""
        if listener not in self._open:
            return False
        self._open.remove(listener)
        return True

    def tell(self, data: bytes) -> None:
        """Everybody."""
        for listener in tuple(self._open):
            listener.put(data)

    def lock(self, session: str) -> None:
        """Every page of this session, which then hears no more."""
        for listener in tuple(self._open):
            if listener.session == session:
                listener.end(LOCK)

    def end(self) -> None:
        """The program stops."""
        for listener in tuple(self._open):
            listener.end()
