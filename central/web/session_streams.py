"""Which feed listeners belong to which session, so that they end with it. Lives on the web's loop."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from central.core.rights import Scope
from central.signin.session import Session
from central.web.feed import Feed, FeedFullError
from runtime.event_stream import Listener

STREAMS_EACH_MAX: Final = 8
"""Of one session: all tabs of a browser share one, if the browser is not old."""
STREAMS_OF_ACCOUNT_MAX: Final = 16
"""Of one person, in all their sessions: nobody alone can take every stream."""
FAREWELL: Final = b"event: bye\ndata: {}\n\n"
"""The last event of a stream that central ends: the page asks who it is now, and says why it is out."""


class SessionStreams:
    """Joins the feed for sessions."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        # By account and the session's digest.
        self._of: defaultdict[tuple[int, str], set[Listener]] = defaultdict(set)

    def join(self, session: Session, after: str | None, scope: Scope) -> Listener:
        """As :meth:`Feed.join`.

        Raises:
            FeedFullError: this session has too many streams, or its person, or all have.
        """
        mine = session.account, session.digest
        theirs = sum(len(listeners) for (account, _), listeners in self._of.items() if account == session.account)
        if len(self._of.get(mine, ())) >= STREAMS_EACH_MAX or theirs >= STREAMS_OF_ACCOUNT_MAX:
            raise FeedFullError
        listener = self._feed.join(after, scope)
        self._of[mine].add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The browser went away."""
        self._feed.leave(listener)
        for key, listeners in tuple(self._of.items()):
            listeners.discard(listener)
            if not listeners:
                del self._of[key]

    def end(self, session: Session) -> None:
        """End the session's streams: it is over, or sees something else from now on."""
        for listener in tuple(self._of.get((session.account, session.digest), ())):
            listener.end(FAREWELL)
