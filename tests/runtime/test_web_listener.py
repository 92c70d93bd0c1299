"""Connections as they are accepted: answers leave at once, and a stop leaves none behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings
from contextlib import suppress

from starlette.applications import Starlette

from runtime.web_server import WebServer, listen

DEADLINE_S = 30
STOPS = 5


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


def test_stop_in_the_middle_of_arrivals_leaves_no_connection_behind() -> None:
    """One that is accepted while the server closes would get no transport, and be left to the collector."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        for _ in range(STOPS):
            _stop_in_a_storm()
        gc.collect()

    assert [] == [str(one.message) for one in told]


def _stop_in_a_storm() -> None:
    server, is_over = WebServer(Starlette(), listener := listen("127.0.0.1", 0)), threading.Event()
    address = listener.getsockname()
    server.start_thread()

    def connect() -> None:
        while not is_over.is_set():
            with suppress(OSError), socket.create_connection(address, DEADLINE_S) as one:
                one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    storm = [threading.Thread(target=connect) for _ in range(3)]
    for one in storm:
        one.start()
    server.stop()
    assert server.join_thread(DEADLINE_S)
    is_over.set()
    for one in storm:
        one.join()
