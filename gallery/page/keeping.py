"""Which sessions must be locked though nobody pressed the lock: nobody touches the page, or it is not open any more.

Pure. The browser locks itself, and tells; this is for one that does not, or cannot. The core locks after five minutes
in any case.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gallery.page.ports import PANEL_SESSION

IDLE_S: Final = 60
"""The page locks itself when nobody has touched it for so long."""
WARNING_S: Final = 20
"""For so long before, it says so."""
GRACE_S: Final = 15.0
"""A page locks itself before this has passed beyond ``IDLE_S``; then it is locked from here."""
UNWATCHED_S: Final = 6.0
"""A page has a stream for as long as it is open. From one page to the next it is without."""


class _Known(Struct):
    seen_s: float
    touched_s: float
    streams: int = 0


class Keeping:
    """What is known of each session's pages. On one thread; times are monotonic seconds."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def seen(self, session: str, now_s: float) -> None:
        """A page of this session asked for something."""
        self._known.setdefault(session, _Known(now_s, now_s)).seen_s = now_s

    def touched(self, session: str, now_s: float) -> None:
        """Somebody touched it."""
        self.seen(session, now_s)
        self._known[session].touched_s = now_s

    def joined(self, session: str, now_s: float) -> None:
        """A page has opened its stream."""
        self.seen(session, now_s)
        self._known[session].streams += 1

    def left(self, session: str, now_s: float) -> None:
        """A stream has ended."""
        known = self._known.get(session)
        if known is not None:
            known.seen_s = now_s
            known.streams = max(0, known.streams - 1)

    def is_overdue(self, session: str, now_s: float) -> bool:
        """Whether this session must be locked now."""
        known = self._known.get(session)
        if known is None:
            return False
        is_gone = not known.streams and now_s - known.seen_s > UNWATCHED_S
        return is_gone or now_s - known.touched_s > IDLE_S + GRACE_S

    def overdue(self, sessions: Iterable[str], now_s: float) -> list[str]:
        """Those of these sessions that must be locked now; what is known of all others is forgotten."""
        # The unit's own panel has no stream, and locks by the node's rules.
        open_ones = frozenset(one for one in sessions if not one.startswith(PANEL_SESSION))
        for session in self._known.keys() - open_ones:
            del self._known[session]
        for session in open_ones - self._known.keys():
            self.seen(session, now_s)
        return [session for session in open_ones if self.is_overdue(session, now_s)]
