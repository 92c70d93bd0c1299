"""Answers leave at once: of two small packets the second must not wait for the other side to confirm the first."""

from __future__ import annotations

import asyncio
import socket

from runtime.web_server import listen


def test_accepted_connection_sends_without_delay() -> None:
    """Asyncio asks for that only where the socket says that it is TCP: else answers take 40 ms more."""
    assert asyncio.run(_no_delay())


async def _no_delay() -> bool:
    listener = listen("127.0.0.1", 0)
    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted_socket: socket.socket = writer.get_extra_info("socket")
        found.set_result(accepted_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(accepted, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        no_delay = await found
        writer.close()
        await writer.wait_closed()
    return bool(no_delay)
