"""Reads a request's body whole before the pages see the request.

So rights are looked up after the last byte has come, however long somebody held it back, and a slow sender takes none
of the few workers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from office.body_limits import FORM_BYTES_MAX, UPLOAD_BYTES_MAX

UPLOADS_AT_ONCE: Final = 4
"""Files held in memory at a time; the others wait, unread."""
WITHIN_S: Final = 60.0
_NUMBER: Final = re.compile(r"/[0-9]+/", re.ASCII)


class NotKnownError(Exception):
    """Whether somebody is signed in cannot be told now; the message is for them."""


async def _nobody(_scope: Scope) -> bool:
    return False


class _RefusedError(Exception):
    """A body that is not taken: status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class WholeBody:
    """ASGI middleware.

    Args:
        app: what gets whole requests.
        upload_paths: where people who are signed in may send files; other forms are small. ``NUMBER`` stands for any.
        is_signed_in: asked once a body at one of those is no longer small; may raise :class:`NotKnownError`.
        within_s: how long a body may take, waiting for its turn included.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        upload_paths: frozenset[str] = frozenset(),
        is_signed_in: Callable[[Scope], Awaitable[bool]] = _nobody,
        within_s: float = WITHIN_S,
    ) -> None:
        self._app = app
        self._upload_paths = upload_paths
        self._is_signed_in = is_signed_in
        self._within_s = within_s
        self._uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI calls it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not scope["query_string"].isascii():
            await _answer(400, "The address cannot be understood.", scope, receive, send)
            return
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(self._within_s):
                    body = await self._read(scope, receive, held)
            except TimeoutError:
                await _answer(408, "The form took too long to arrive. Send it again.", scope, receive, send)
                return
            except _RefusedError as e:
                await _answer(e.status, e.sentence, scope, receive, send)
                return
            if body is None:
                return
            kept = [one for one in scope["headers"] if one[0] not in {b"content-length", b"transfer-encoding"}]
            whole = {**scope, "headers": [*kept, (b"content-length", str(len(body)).encode())]}
            await self._app(whole, _Replay(body, receive), send)

    def _is_upload(self, path: str) -> bool:
        return _NUMBER.sub("/NUMBER/", path) in self._upload_paths

    async def _read(self, scope: Scope, receive: Receive, held: AsyncExitStack) -> bytes | None:
        """The body; ``None`` = its sender has gone. A turn among the uploads, if it took one, ends with ``held``.

        Raises:
            _RefusedError: it is too large. What is too large is read on and thrown away, up to a point, so that the
                browser gets to see the answer.
        """
        body, size, refusal = bytearray(), 0, None
        bytes_max = FORM_BYTES_MAX
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            piece = message.get("body", b"")
            size += len(piece)
            if bytes_max == FORM_BYTES_MAX < size and refusal is None and self._is_upload(scope["path"]):
                refusal = await self._why_not(scope)
                if refusal is None:
                    await held.enter_async_context(self._uploads)
                    bytes_max = UPLOAD_BYTES_MAX
            if size > bytes_max and refusal is None:
                most = bytes_max // 1024 // 1024 or bytes_max / 1024 / 1024
                refusal = _RefusedError(413, f"This is too large: {most} MB at most.")
            if refusal is None:
                body += piece
            else:
                body.clear()
            if not message.get("more_body", False) or size > 4 * UPLOAD_BYTES_MAX:
                if refusal is not None:
                    raise refusal
                return bytes(body)

    async def _why_not(self, scope: Scope) -> _RefusedError | None:
        """Why a file is not taken; ``None`` = it is."""
        try:
            is_signed_in = await self._is_signed_in(scope)
        except NotKnownError as e:
            return _RefusedError(503, str(e))
        return None if is_signed_in else _RefusedError(413, "Sign in, then send the file again.")


class _Replay:
    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _answer(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(text, status, {"connection": "close", "cache-control": "no-store"})(scope, receive, send)
