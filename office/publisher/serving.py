"""Serves snapshots to programs on other machines: they ask for what is newer than theirs, and wait for it.

``GET /snapshots/{name}?after=N`` answers the newest file, whole, as soon as its number is above N; 204 if there is none
after :data:`WAIT_S`. The connection is mutual TLS: whoever has not central's certificate is not let in at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Final, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from office.publisher.shelf import KINDS, Shelf
from runtime.tls import server_context
from runtime.tls_clients import admit_only
from wire.snapshots import SnapshotName
from wire.subjects import CENTRAL_SUBJECTS

WAIT_S: Final = 25.0
"""Less than what routers and proxies allow a silent connection."""
_DIGITS_MAX: Final = 16
WAITING_MAX: Final = 64
"""At one time. A town has a central or two, and the fleet's engineer."""


def context_for_central(certificate_file: Path, key_file: Path, clients_ca_file: Path) -> ssl.SSLContext:
    """The server's side of mutual TLS. Only central is let in, by its whole subject: nodes have certificates too.

    Raises:
        ConfigError: as :func:`runtime.tls.server_context`.
    """
    context = server_context(certificate_file, key_file, clients_ca_file=clients_ca_file)
    admit_only(context, CENTRAL_SUBJECTS)
    return context


class Counter:
    """Hands out snapshots over HTTP. Its methods run on the server's loop, :meth:`note` on any thread."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._newest: dict[SnapshotName, int] = {}
        self._has_changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = 0
        self._is_closing = False
        self.app = Starlette(routes=[Route("/snapshots/{name}", self.answer)])

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server's loop."""
        self._loop = loop

    def note(self, name: SnapshotName, number: int) -> None:
        """A snapshot is published."""
        self._newest[name] = number
        if self._loop is not None:
            # At the end the loop may be closed already.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Let everybody go who waits."""
        self._is_closing = True
        self._wake()

    async def answer(self, request: Request) -> Response:
        """The newest snapshot of a name, when there is one to tell of."""
        name = cast("SnapshotName", request.path_params["name"])
        after = request.query_params.get("after", "0")
        if name not in KINDS:
            return PlainTextResponse("there are no snapshots of this name", 404)
        if not (after.isascii() and after.isdecimal() and len(after) <= _DIGITS_MAX):
            return PlainTextResponse("after: a number", 400)
        if self._waiting >= WAITING_MAX:
            return PlainTextResponse("too many programs are waiting", 503, {"retry-after": "5"})
        self._waiting += 1
        try:
            return await self._newer(request, name, int(after))
        finally:
            self._waiting -= 1

    async def _newer(self, request: Request, name: SnapshotName, after: int) -> Response:
        ends_s = asyncio.get_running_loop().time() + WAIT_S
        while (number := self._newest.get(name, 0)) <= after and not self._is_closing:
            # A lower number than the asker's is told at once: it would wait for ever, and must know why.
            if 0 < number < after:
                break
            has_changed = self._has_changed
            try:
                async with asyncio.timeout_at(ends_s):
                    await has_changed.wait()
            except TimeoutError:
                return Response(status_code=204)
        etag = f'"{name}-{number}"'
        if not number or self._is_closing:
            return Response(status_code=204)
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        try:
            data = await run_in_threadpool(self._shelf.read, name, number)
        except OSError:
            return PlainTextResponse("the snapshot cannot be read now", 503, {"retry-after": "1"})
        headers = {"etag": etag, "cache-control": "no-store"}
        return Response(data, media_type="application/json", headers=headers)

    def _wake(self) -> None:
        self._has_changed.set()
        self._has_changed = asyncio.Event()
