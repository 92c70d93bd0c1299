"""Reads a request's body whole before the pages see the request.

So rights are looked up after the last byte has come, however long somebody held it back, and a slow sender takes none
of the few workers.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_BYTES_MAX: Final = 256 * 1024
UPLOAD_BYTES_MAX: Final = 11 * 1024 * 1024
"""A file of 10 MB with what a form puts around it."""
WITHIN_S: Final = 60.0


class WholeBody:
    """ASGI middleware.

    Args:
        app: what gets whole requests.
        upload_paths: beginnings of the paths that may be sent files; other forms are small.
        within_s: how long a body may take.
    """

    def __init__(self, app: ASGIApp, *, upload_paths: tuple[str, ...] = (), within_s: float = WITHIN_S) -> None:
        self._app = app
        self._upload_paths = upload_paths
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI calls it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].startswith(self._upload_paths) if self._upload_paths else False
        bytes_max = UPLOAD_BYTES_MAX if is_upload else FORM_BYTES_MAX
        if not scope["query_string"].isascii():
            await _answer(400, "The address cannot be understood.", scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._within_s):
                body = await _read(receive, bytes_max)
        except TimeoutError:
            await _answer(408, "The form took too long to arrive. Send it again.", scope, receive, send)
            return
        if body is None:
            return
        if len(body) > bytes_max:
            text = f"This is too large: {bytes_max // 1024 // 1024 or bytes_max / 1024 / 1024} MB at most."
            await _answer(413, text, scope, receive, send)
            return
        kept = [
            (name, value) for name, value in scope["headers"] if name not in {b"content-length", b"transfer-encoding"}
        ]
        whole = {**scope, "headers": [*kept, (b"content-length", str(len(body)).encode())]}
        await self._app(whole, _Replay(body, receive), send)


class _Replay:
    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read(receive: Receive, bytes_max: int) -> bytes | None:
    """The body, or its beginning if it is too long: one byte more than ``bytes_max`` at least; ``None`` = gone.

    What is too long is read on and thrown away, up to a point, so that the browser gets to see the answer.
    """
    body, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size <= bytes_max:
            body += piece
        if not message.get("more_body", False) or size > 4 * UPLOAD_BYTES_MAX:
            return bytes(body) if size <= bytes_max else bytes(bytes_max + 1)


async def _answer(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(text, status, {"connection": "close", "cache-control": "no-store"})(scope, receive, send)
