"""Stands between nodes and the office's machine port, and counts the bytes of every connection: TLS and all."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from tests.support.asking_town import HOST

_PART_BYTES = 65_536


class Relay:
    """Counts.

    Attributes:
        port: where it listens.
        down: bytes from the port to nodes.
        up: bytes from nodes to the port.
        connections: that were made.
    """

    def __init__(self) -> None:
        self.port = 0
        self.down = self.up = self.connections = 0
        self._to_port = 0

    @contextlib.contextmanager
    def before(self, port: int) -> Iterator[None]:
        """Relay to it."""
        self._to_port = port
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(asyncio.start_server(self._relay, HOST, 0))
        self.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            server.close()
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        port_reader, port_writer = await asyncio.open_connection(HOST, self._to_port)
        # At the end: asyncio's streams take a cancelled one for a fault.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._copy(reader, port_writer, "up"), self._copy(port_reader, writer, "down"))
        for one in (writer, port_writer):
            one.close()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: str) -> None:
        with contextlib.suppress(OSError):
            while part := await source.read(_PART_BYTES):
                setattr(self, way, getattr(self, way) + len(part))
                target.write(part)
                await target.drain()
        target.close()
