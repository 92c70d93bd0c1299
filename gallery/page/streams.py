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
from collections.abc import Iterable
from typing import Final

import msgspec

LISTENERS_MAX: Final = 64
OF_AN_ADDRESS_MAX: Final = 6
"""Pages of one screen. Anybody in the shop's network may open a locked one."""
LOCKED_MAX: Final = 24
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
        address: where it is open.
        farewell: sent after the end.
    """

    def __init__(self, session: str | None, address: str = "") -> None:
        self.session = session
        self.address = address
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
        self._open: dict[Listener, None] = {}

    @property
    def are_open(self) -> bool:
        """Whether anybody listens."""
        return bool(self._open)

    def join(self, session: str | None, address: str) -> Listener:
        """A page listens.

        Of too many from its address the oldest locked one ends: it may be this very screen's, from before its network
        was gone. Of too many in all it ends for one that is signed in.

        Raises:
            TooManyPagesError: too many do, in all or from this address.
        """
        of_address = [one for one in self._open if one.address == address]
        if len(of_address) >= OF_AN_ADDRESS_MAX:
            self._end_oldest_locked(of_address)
        if session is None and sum(one.session is None for one in self._open) >= LOCKED_MAX:
            raise TooManyPagesError
        if len(self._open) >= LISTENERS_MAX:
            self._end_oldest_locked(self._open if session is not None else ())
        listener = Listener(session, address)
        listener.put(BEAT)
        self._open[listener] = None
        return listener

    def _end_oldest_locked(self, among: Iterable[Listener]) -> None:
        oldest = next((one for one in among if one.session is None), None)
        if oldest is None:
            raise TooManyPagesError
        self.leave(oldest)
        oldest.end()

    def leave(self, listener: Listener) -> bool:
        """It does not listen any more; returns whether it did."""
        if listener not in self._open:
            return False
        del self._open[listener]
        return True

    def tell(self, data: bytes, to_locked: bytes | None = None) -> None:
        """Everybody; this instead of ``data`` whoever is not signed in."""
        for listener in tuple(self._open):
            listener.put(data if to_locked is None or listener.session is not None else to_locked)

    def lock(self, session: str) -> None:
        """Every page of this session, which then hears no more."""
        for listener in tuple(self._open):
            if listener.session == session:
                listener.end(LOCK)

    def end(self) -> None:
        """The program stops."""
        for listener in tuple(self._open):
            listener.end()
