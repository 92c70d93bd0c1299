"""Serves the page on a thread of its own: without encryption what may go so, and all by TLS once there is a pair."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from gallery.page.site import Site
from runtime.key_pair import KeyPair
from runtime.tls import server_context
from runtime.web_connections import Listener
from runtime.web_server import WebServer

logger = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 64
"""A shop has some screens; each needs a handful."""
OF_AN_ADDRESS_MAX: Final = 16
"""A browser opens six at most. A scanner in the shop's network must not take them all."""


class PageServer:
    """Construct it, :meth:`start`, and at the end :meth:`stop` and :meth:`join`. From any thread.

    Args:
        site: the page.
        plain: without encryption, at least one: the site says what may go so.
    """

    def __init__(self, site: Site, plain: Sequence[Listener]) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._servers = [
            self._server(listener, has_lifespan=number == 0, end_streams=site.end_streams if number == 0 else None)
            for number, listener in enumerate(plain)
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: ssl.SSLContext | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="gallery page")

    def start(self) -> None:
        """Serve."""
        has_loop = threading.Event()
        self._has_loop = has_loop
        self._thread.start()
        has_loop.wait()

    def serve_tls(self, listener: Listener, context: ssl.SSLContext) -> None:
        """By TLS, too, from now on. Another certificate is loaded into the same context."""
        server = self._server(listener, tls=context, has_lifespan=False)
        with self._lock:
            if self._is_stopping or self._loop is None:
                listener.close()
                return
            self._servers.append(server)
            self._loop.call_soon_threadsafe(self._add, server)

    def serve_pair(self, pair: KeyPair, tls: Callable[[], Sequence[Listener]]) -> None:
        """By TLS with this certificate: from now on, or, if it is served so already, for each new connection.

        Args:
            pair: key and certificate.
            tls: gives the sockets, the first time.

        Raises:
            ConfigError: key and certificate cannot be used.
            OSError: there is no socket.
        """
        context = server_context(pair.certificate_file, pair.key_file)
        if self._context is not None:
            self._context.load_cert_chain(pair.certificate_file, pair.key_file)
            return
        for listener in tls():
            self.serve_tls(listener, context)
        self._context = context

    def stop(self) -> None:
        """Serve no more; returns at once."""
        with self._lock:
            self._is_stopping = True
            servers = tuple(self._servers)
        for server in servers:
            server.stop()

    def join(self, timeout_s: float = 5.0) -> bool:
        """Wait for the thread after :meth:`stop`; returns whether it has ended in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _server(self, listener: Listener, **options: Any) -> WebServer:  # noqa: ANN401 - a server's own
        return WebServer(self._site.app, listener, connections=CONNECTIONS_MAX, of_address=OF_AN_ADDRESS_MAX, **options)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        first, *others = self._servers
        for server in others:
            self._add(server)
        self._has_loop.set()
        await first.serve()
        with self._lock:
            self._is_stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _add(self, server: WebServer) -> None:
        task = asyncio.create_task(server.serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
