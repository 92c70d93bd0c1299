"""Serves an application on a socket, with or without TLS, on the caller's loop or on its own loop in a thread.

Plain HTTP is for this machine only. Stops within about a second, including streams. The caller handles signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp

from runtime.loopback import is_loopback
from runtime.web_connections import (
    ACCEPTED_AT_ONCE,
    CONNECTIONS_MAX,
    Door,
    GuardedProtocol,
    Listener,
    LoopErrors,
    connections_max,
)

_QUEUED_MAX: Final = 512
"""Connections waiting in the kernel until we accept them."""


_TURNS_OF_AN_ARRIVAL: Final = 4
"""Of the loop, from a connection that the kernel hands over to one that is known, and can be cut off."""


class NotLoopbackError(ValueError):
    """Without TLS a page may listen only on this machine."""


def listen(host: str, port: int, *, has_tls: bool = False, is_guarded: bool = False) -> Listener:
    """A bound socket; ``port`` 0 takes a free one.

    Args:
        host: name or address.
        port: its port.
        has_tls: it will be served with TLS.
        is_guarded: what is served refuses by itself whatever must not go without TLS.

    Raises:
        NotLoopbackError: ``host`` is not a loopback name or address, and there is no TLS.
        OSError: the port is taken, or ``host`` is no address of this machine.
    """
    if not (has_tls or is_guarded or is_loopback(host)):
        raise NotLoopbackError(f"{host}: without TLS, pages listen on 127.0.0.1, ::1 or localhost only")
    address = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Without its protocol asyncio does not know it for TCP, and every answer of head and body waits 40 ms (Nagle).
    listener = Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_QUEUED_MAX)
    except OSError:
        listener.close()
        raise
    listener.settimeout(0)
    return listener


def url_of(listener: socket.socket, *, has_tls: bool = False) -> str:
    """Where a browser finds it: ``http://127.0.0.1:8080/``."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if has_tls else "http"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


class _Uvicorn(uvicorn.Server):
    _woken: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Once a second, for the date in answers. The base class looks ten times a second whether it is to end."""
        self._woken = asyncio.Event()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._woken.wait()

    def wake(self) -> None:
        """Look at once whether it is to end. On the server's loop."""
        if self._woken is not None:
            self._woken.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the program that serves."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As the base class; but first what is accepted already gets its transport, which a closed server has not."""
        for one in sockets or ():
            asyncio.get_running_loop().remove_reader(one)
        await asyncio.sleep(0)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the base class; asyncio has one number for the kernel's queue and for what it accepts at once."""
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(_QUEUED_MAX)


class WebServer:
    """One application on one socket, which is closed at the end. Serves once.

    Args:
        app: the ASGI application.
        listener: from :func:`listen`.
        tls: the server's side of TLS; ``None`` = plain HTTP.
        has_lifespan: the application wants to be told when serving begins and ends (Starlette does, WSGI cannot).
        connections: at one time, at most.
        of_address: from one address, at most; ``None`` = as many as in all.
        end_streams: called on the server's loop at a stop, so that it need not wait for open streams.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: Listener,
        *,
        tls: ssl.SSLContext | None = None,
        has_lifespan: bool = True,
        end_streams: Callable[[], None] | None = None,
        connections: int = CONNECTIONS_MAX,
        of_address: int | None = None,
    ) -> None:
        self._listener = listener
        self._end_streams = end_streams
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_loop = threading.Event()
        self._thread: threading.Thread | None = None
        # A line for each malformed request would let anyone fill the disk.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        listener.door = Door(connections_max(connections), of_address)
        protocol = functools.partial(GuardedProtocol, listener.door)
        config = uvicorn.Config(
            app,
            access_log=False,
            backlog=ACCEPTED_AT_ONCE,
            http=cast("Any", protocol),
            lifespan="on" if has_lifespan else "off",
            log_config=None,
            loop="asyncio",
            # Whoever connects from this machine could claim any address.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            ws="none",
        )
        # uvicorn would make a context from files only, with settings of its own.
        config.load()
        config.ssl = tls
        self._server = _Uvicorn(config)

    async def serve(self) -> None:
        """Serve on the running loop until :meth:`stop`."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(LoopErrors())
        self._has_loop.set()
        await self._server.serve(sockets=[self._listener])
        # What has not ended within the second is cut off: a transport that is left would hold its socket.
        assert self._listener.door is not None
        self._listener.door.turn_away_arriving()
        for _ in range(_TURNS_OF_AN_ARRIVAL):
            for connection in tuple(self._server.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Ask :meth:`serve` to return. From any thread, at any time, more than once."""
        self._server.should_exit = True
        if self._loop is None or self._loop.is_closed():
            return
        # The loop may close between the two lines.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._server.wake)
            if self._end_streams is not None:
                self._loop.call_soon_threadsafe(self._end_streams)

    def start_thread(self) -> asyncio.AbstractEventLoop:
        """Serve in a new thread; returns its loop, for a BoardPort that lives elsewhere."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="web")
        self._thread.start()
        self._has_loop.wait()
        assert self._loop is not None
        return self._loop

    def join_thread(self, timeout_s: float = 5.0) -> bool:
        """Wait for the thread after :meth:`stop`; returns whether it has ended in time."""
        assert self._thread is not None
        self._thread.join(timeout_s)
        return not self._thread.is_alive()
