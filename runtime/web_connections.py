"""Limits the page's connections: their number, how long one may keep us waiting, and what they log.

uvicorn waits for ever for the end of a request. So anyone who reaches the port could use up every file that central may
open, and with them the link to the broker and the database. It knows no routes or requests.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

logger = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 512
"""At one time. A town's control room has a few; each browser needs one for its stream and some for the rest."""
CONNECTIONS_MIN: Final = 16
"""With fewer there is no page."""
FILES_KEPT: Final = 192
"""For everything that is not the page: database, broker, directory, logs; and for what is being accepted."""
ACCEPTED_AT_ONCE: Final = 32
"""Accepted before the loop does anything else, and so over the limit for a moment."""
OWED_WITHIN_S: Final = 10.0
"""For a whole request, from the connection's start or the last answer; and for reading on in an answer."""
ACCEPT_ERROR_LOGGED_EVERY_S: Final = 600.0

_ACCEPT_FAILED: Final = "socket.accept() out of system resource"
"""asyncio's message."""


class Door:
    """Knows which connections keep us waiting; of too many it closes the one that has done so longest."""

    def __init__(self, connections_max: int) -> None:
        self.connections_max = connections_max
        self._owing: dict[GuardedProtocol, None] = {}

    def note(self, connection: GuardedProtocol, *, is_owing: bool) -> None:
        """Note that a connection keeps us waiting from now on, or no longer."""
        if is_owing:
            self._owing[connection] = None
        else:
            self._owing.pop(connection, None)

    def make_room(self) -> None:
        """Close the one that has kept us waiting longest. The newest is always among them."""
        if self._owing:
            next(iter(self._owing)).turn_away()


class GuardedProtocol(H11Protocol):
    """uvicorn's protocol, with a deadline for the other side to end its request and to read our answer."""

    def __init__(
        self,
        door: Door,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._door = door
        self._deadline: asyncio.TimerHandle | None = None
        self._is_full = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Asyncio."""
        super().connection_made(transport)
        self._look()
        if len(self.connections) > self._door.connections_max:
            self._door.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio."""
        self._let_be()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Asyncio."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """From uvicorn's cycle."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """Asyncio: the other side does not read our answer."""
        self._is_full = True
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """Asyncio."""
        self._is_full = False
        super().resume_writing()
        self._look()

    def turn_away(self) -> None:
        """Close it at once, whatever is still unsent."""
        self._let_be()
        self.connections.discard(self)
        self.transport.abort()

    def _look(self) -> None:
        is_request_due = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not (is_request_due or self._is_full or self.transport.is_closing()):
            self._let_be()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(OWED_WITHIN_S, self.turn_away)
            self._door.note(self, is_owing=True)

    def _let_be(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._door.note(self, is_owing=False)


def connections_max() -> int:
    """How many connections this process allows, by its limit of open files."""
    files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = files_max - FILES_KEPT
    if room < CONNECTIONS_MAX:
        logger.warning(
            "this process may open %d files only: the page takes at most %d connections",
            files_max,
            max(CONNECTIONS_MIN, room),
        )
    return max(CONNECTIONS_MIN, min(CONNECTIONS_MAX, room))


class LoopErrors:
    """An event loop's exception handler: asyncio's own, but a failed accept is logged only now and then."""

    def __init__(self) -> None:
        self._silent_until_s = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Asyncio."""
        if context.get("message") != _ACCEPT_FAILED:
            loop.default_exception_handler(context)
        elif time.monotonic() >= self._silent_until_s:
            self._silent_until_s = time.monotonic() + ACCEPT_ERROR_LOGGED_EVERY_S
            logger.error(
                "the page cannot accept connections: %s. Raise LimitNOFILE, or find out who opens so many connections",
                context.get("exception"),
            )
