"""Serves the application on a loopback socket, on the caller's loop or on its own loop in a thread.

Stops within about a second, including streams. The caller handles signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import threading
from collections.abc import Generator
from typing import Any, Final, cast

import uvicorn
from starlette.applications import Starlette

from central.web.connections import ACCEPTED_AT_ONCE, Door, GuardedProtocol, LoopErrors, connections_max
from central.web.guard import is_loopback

_QUEUED_MAX: Final = 512
"""Connections waiting in the kernel until we accept them."""


class NotLoopbackError(ValueError):
    """The page may listen only on this machine until there are accounts."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; ``port`` 0 takes a free one.

    Raises:
        NotLoopbackError: ``host`` is not a loopback name or address.
        OSError: the port is taken.
    """
    if not is_loopback(host):
        raise NotLoopbackError(f"{host}: the page listens on 127.0.0.1, ::1 or localhost only, until accounts exist")
    address = "127.0.0.1" if host == "localhost" else host
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_QUEUED_MAX)
    except OSError:
        listener.close()
        raise
    listener.settimeout(0)
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a browser finds it: ``http://127.0.0.1:8080/``."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the program that serves."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the base class; asyncio has one number for the kernel's queue and for what it accepts at once."""
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(_QUEUED_MAX)


class WebServer:
    """One application on one socket, which is closed at the end. Serves once."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self._app = app
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_loop = threading.Event()
        self._thread: threading.Thread | None = None
        # A line for each malformed request would let anyone fill the disk.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        protocol = functools.partial(GuardedProtocol, Door(connections_max()))
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                access_log=False,
                backlog=ACCEPTED_AT_ONCE,
                http=cast("Any", protocol),
                lifespan="on",
                log_config=None,
                loop="asyncio",
                server_header=False,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )

    async def serve(self) -> None:
        """Serve on the running loop until :meth:`stop`."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(LoopErrors())
        self._has_loop.set()
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Ask :meth:`serve` to return. From any thread, at any time, more than once."""
        self._server.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            # Open streams would otherwise be waited for. The loop may close between the two lines.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._app.state.feed.close)

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
