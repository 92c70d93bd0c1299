"""Server-Sent Events as an HTTP response that ends when the browser leaves or falls behind, or the program stops."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Listener:
    """One browser's stream: events still to be sent. On the server's loop alone.

    Args:
        pieces_max: how many events the browser may be behind before it is cut off; it comes back.
        bytes_max: the same in bytes.

    Attributes:
        farewell: sent after the end, if the browser still reads.
    """

    def __init__(self, pieces_max: int, bytes_max: int) -> None:
        self.farewell = b""
        self._pieces_max, self._bytes_max = pieces_max, bytes_max
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._has_news = asyncio.Event()
        self._end = asyncio.Event()

    def put(self, piece: bytes, *, is_shared: bool = False) -> None:
        """Add one event; of a browser that is too far behind the stream ends instead.

        Args:
            piece: the event.
            is_shared: all browsers share its bytes, so it does not count as backlog.
        """
        if len(self._pieces) >= self._pieces_max or self._bytes > self._bytes_max:
            self.end()
            return
        self._pieces.append(piece)
        self._bytes += 0 if is_shared else len(piece)
        self._has_news.set()

    def end(self, farewell: bytes = b"") -> None:
        """Send no more but this."""
        self.farewell = farewell
        self._pieces.clear()
        self._end.set()
        self._has_news.set()

    @property
    def has_ended(self) -> bool:
        """Nothing more will come."""
        return self._end.is_set()

    async def wait_end(self) -> None:
        """Wait until :meth:`end` is called."""
        await self._end.wait()

    async def next(self) -> bytes | None:
        """Wait for events and return all of them; ``None`` at the end."""
        while not self._pieces:
            if self._end.is_set():
                return None
            self._has_news.clear()
            await self._has_news.wait()
        sent = b"".join(self._pieces)
        self._pieces.clear()
        self._bytes = 0
        return sent


class EventStream(Response):
    """Sends a listener's events as they come. A browser that stops reading holds up no other.

    Args:
        listener: whose events.
        leave: called when it has ended, more than once.
    """

    def __init__(self, listener: Listener, leave: Callable[[], None]) -> None:
        super().__init__()
        self._listener = listener
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """ASGI."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            async with anyio.create_task_group() as tasks:
                # Whichever ends first ends the rest: a send that hangs on a full socket too.
                for part in (self._wait_disconnect(receive), self._listener.wait_end(), self._pump(send)):
                    tasks.start_soon(_then_cancel, part, tasks.cancel_scope)
            self._leave()
            with anyio.move_on_after(1):  # a socket that is full takes no more, not even the end
                await send({"type": "http.response.body", "body": self._listener.farewell, "more_body": False})
        finally:
            self._leave()

    async def _pump(self, send: Send) -> None:
        while (piece := await self._listener.next()) is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _wait_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


async def _then_cancel(part: Awaitable[None], scope: anyio.CancelScope) -> None:
    await part
    scope.cancel()
