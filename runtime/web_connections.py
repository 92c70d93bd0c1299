"""Limits the page's connections: their number, how long one may keep us waiting, and what they log.

uvicorn waits for ever for the end of a request. So anyone who reaches the port could use up every file that central may
open, and with them the link to the broker and the database. It knows no routes or requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import resource
import socket
import time
from collections.abc import Callable
from typing import Any, Final, cast
from weakref import WeakKeyDictionary, WeakValueDictionary

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
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
"""For TLS's handshake, for a whole request, from then or from the last answer, and for reading on in an answer."""
ACCEPT_ERROR_LOGGED_EVERY_S: Final = 600.0

_PEER: Final = "watchlink.peer"
_TURN_AWAY: Final = "watchlink.turn_away"
_CLOSED: Final = -1
"""The file number of a closed socket."""
_ACCEPT_FAILED: Final = "socket.accept() out of system resource"
"""asyncio's message."""


class Peer:
    """The other end of a TLS connection that has shown a certificate, for as long as the connection lasts.

    An application finds it in ``scope["watchlink.peer"]``, by :func:`peer_of`.

    Attributes:
        certificate: in DER. The handshake has verified it; whether it still counts is the application's question.
        close: ends the connection at once, whatever is still unsent. On the server's loop only.
    """

    __slots__ = ("__weakref__", "certificate", "close")

    def __init__(self, certificate: bytes, close: Callable[[], None]) -> None:
        self.certificate = certificate
        self.close = close


def peer_of(scope: Scope) -> Peer | None:
    """Whose connection a request came by; ``None`` = it has shown no certificate."""
    peer: Peer | None = scope.get(_PEER)
    return peer


def turn_away(scope: Scope) -> None:
    """Close the connection that a request came by, at once and whatever is still unsent. On the server's loop only."""
    scope[_TURN_AWAY]()


class Door:
    """Knows which connections keep us waiting; of too many it closes the one that has done so longest.

    It counts from the moment that they are accepted, and lives on the loop that accepts them.

    Args:
        connections_max: in all.
        of_address_max: from one address; ``None`` = no limit of their own.
    """

    def __init__(self, connections_max: int, of_address_max: int | None = None) -> None:
        self.connections_max = connections_max
        self._of_address_max = of_address_max
        self._open: WeakKeyDictionary[socket.socket, str] = WeakKeyDictionary()
        self._by_number: WeakValueDictionary[int, socket.socket] = WeakValueDictionary()
        self._owing: dict[socket.socket, Callable[[], None]] = {}
        self._arriving: dict[socket.socket, asyncio.TimerHandle] = {}

    def accept(self, connection: socket.socket, address: str) -> None:
        """One more. With TLS it may never get as far as a protocol: asyncio makes that after the handshake."""
        self._forget_closed()
        self._open[connection] = address
        self._by_number[connection.fileno()] = connection
        turn_away = functools.partial(self._turn_away_arriving, connection)
        self._owing[connection] = turn_away
        self._arriving[connection] = asyncio.get_running_loop().call_later(OWED_WITHIN_S, turn_away)
        # This one keeps us waiting itself, so that there is always one to turn away.
        of_address = [one for one, where in self._open.items() if where == address]
        if self._of_address_max is not None and len(of_address) > self._of_address_max:
            next(away for one, away in self._owing.items() if self._open.get(one) == address)()
        elif len(self._open) > self.connections_max:
            next(iter(self._owing.values()))()

    def arrive(self, number: int) -> socket.socket:
        """The connection with this file number has a protocol, which notes from now on whether it keeps us waiting."""
        connection = self._by_number[number]
        self._arriving.pop(connection).cancel()
        return connection

    def note(self, connection: socket.socket, turn_away: Callable[[], None] | None) -> None:
        """A connection keeps us waiting from now on and may be turned away so, or (``None``) no longer."""
        if turn_away is not None:
            self._owing[connection] = turn_away
        else:
            self._owing.pop(connection, None)

    def leave(self, connection: socket.socket) -> None:
        """A connection is being closed, and no longer counts."""
        self._owing.pop(connection, None)
        self._open.pop(connection, None)

    def turn_away_arriving(self) -> None:
        """Those whose handshake has not ended: no protocol knows them yet."""
        for connection in tuple(self._arriving):
            self._turn_away_arriving(connection)

    def _turn_away_arriving(self, connection: socket.socket) -> None:
        self.leave(connection)
        # Closing it is for asyncio, which waits for its bytes, and now hears that there will be none.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _forget_closed(self) -> None:
        for connection in [one for one in self._open if one.fileno() == _CLOSED]:
            self.leave(connection)
        for connection in [one for one in self._arriving if one.fileno() == _CLOSED]:
            self._arriving.pop(connection).cancel()


class Listener(socket.socket):
    """A listening socket that tells a door of each connection as it is accepted."""

    door: Door | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """Asyncio."""
        connection, address = super().accept()
        if self.door is not None:
            self.door.accept(connection, address[0])
        return connection, address


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
        self._connection: socket.socket | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_full = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Asyncio."""
        super().connection_made(transport)
        self._connection = self._door.arrive(transport.get_extra_info("socket").fileno())
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        known: dict[str, object] = {_TURN_AWAY: self.turn_away}
        if certificate:
            known[_PEER] = Peer(certificate, self.turn_away)
        self.app = cast("Any", _knowing(cast("ASGIApp", self.app), known))
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio."""
        self._let_be()
        if self._connection is not None:
            self._door.leave(self._connection)
            self._connection = None
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
        if self._connection is not None:
            self._door.leave(self._connection)
        self.transport.abort()

    def _look(self) -> None:
        is_request_due = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not (is_request_due or self._is_full or self.transport.is_closing()):
            self._let_be()
        elif self._deadline is None and self._connection is not None:
            self._deadline = self.loop.call_later(OWED_WITHIN_S, self.turn_away)
            self._door.note(self._connection, self.turn_away)

    def _let_be(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._connection is not None:
            self._door.note(self._connection, None)


def _knowing(app: ASGIApp, known: dict[str, object]) -> ASGIApp:
    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope.update(known)
        await app(scope, receive, send)

    return told


def connections_max(wanted: int = CONNECTIONS_MAX) -> int:
    """How many connections this process allows of those wanted, by its limit of open files."""
    files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = files_max - FILES_KEPT
    if room < wanted:
        logger.warning(
            "this process may open %d files only: the page takes at most %d connections",
            files_max,
            max(CONNECTIONS_MIN, room),
        )
    return max(CONNECTIONS_MIN, min(wanted, room))


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
