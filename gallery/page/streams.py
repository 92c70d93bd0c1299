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

from collections.abc import Iterable
from typing import Final

import msgspec

from runtime.event_stream import Listener

LISTENERS_MAX: Final = 64
OF_AN_ADDRESS_MAX: Final = 6
"""Pages of one screen. Anybody in the shop's network may open a locked one."""
LOCKED_MAX: Final = 24
PIECES_MAX: Final = 64
BYTES_MAX: Final = 1_048_576
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


class Page(Listener):
    """A page's stream.

    Attributes:
        session: whose page; ``None`` = it is locked.
        address: where it is open.
    """

    def __init__(self, session: str | None, address: str) -> None:
        super().__init__(PIECES_MAX, BYTES_MAX)
        self.session = session
        self.address = address


class Streams:
    """All pages that are open."""

    def __init__(self) -> None:
        self._open: dict[Page, None] = {}

    @property
    def are_open(self) -> bool:
        """Whether anybody listens."""
        return bool(self._open)

    def join(self, session: str | None, address: str) -> Page:
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
        page = Page(session, address)
        page.put(BEAT)
        self._open[page] = None
        return page

    def _end_oldest_locked(self, among: Iterable[Page]) -> None:
        oldest = next((one for one in among if one.session is None), None)
        if oldest is None:
            raise TooManyPagesError
        self.leave(oldest)
        oldest.end()

    def leave(self, page: Page) -> bool:
        """It does not listen any more; returns whether it did."""
        if page not in self._open:
            return False
        del self._open[page]
        return True

    def tell(self, data: bytes, to_locked: bytes | None = None) -> None:
        """Everybody; this instead of ``data`` whoever is not signed in."""
        for page in tuple(self._open):
            page.put(data if to_locked is None or page.session is not None else to_locked)

    def lock(self, session: str) -> None:
        """Every page of this session, which then hears no more."""
        for page in tuple(self._open):
            if page.session == session:
                page.end(LOCK)

    def end(self) -> None:
        """The program stops."""
        for page in tuple(self._open):
            page.end()
