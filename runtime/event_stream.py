"""Server-Sent Events as an HTTP response that ends when the browser leaves or falls behind, or the program stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Listener(Protocol):
    """One browser's stream."""

    @property
    def farewell(self) -> bytes:
        """Sent after the end, if the browser still reads."""

    async def next(self) -> bytes | None:
        """Wait for events and return all of them; ``None`` at the end."""

    async def wait_end(self) -> None:
        """Wait until it is to end."""


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
