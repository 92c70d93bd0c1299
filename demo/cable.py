"""The cable between one program and the broker: a byte forwarder that can be unplugged or stopped half-way.

TLS passes through untouched. Killing a program after its peer has heard it but before the peer's answer arrives is a
matter of microseconds; with the way back held, it is a matter of patience.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from enum import Enum
from typing import Final

from demo.ports import LOOPBACK

_READ_BYTES: Final = 65_536
_ABORT: Final = struct.pack("ii", 1, 0)


class Way(Enum):
    """A direction."""

    TO_BROKER = "to broker"
    FROM_BROKER = "from broker"


class Cable:
    """Listens on its own port and forwards each connection to the broker's.

    Attributes:
        port: where the program connects; 0 until it is laid = any.
    """

    def __init__(self, port: int, broker_port: int) -> None:
        self.port = port
        self._broker_port = broker_port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._open: dict[Way, asyncio.Event] = {way: asyncio.Event() for way in Way}
        self._is_plugged_in = True
        self.release()

    @property
    def is_plugged_in(self) -> bool:
        """Whether it is plugged in."""
        return self._is_plugged_in

    async def lay(self) -> None:
        """Begin to listen.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def take_up(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        await self.break_connections()

    async def pull(self) -> None:
        """Unplug it: connections break and new ones are refused until :meth:`plug_in`."""
        self._is_plugged_in = False
        await self.break_connections()

    def plug_in(self) -> None:
        """Plug it in again."""
        self._is_plugged_in = True

    def hold(self, way: Way) -> None:
        """Hold that direction: bytes wait here."""
        self._open[way].clear()

    def release(self) -> None:
        """Let everything through again, including what waited."""
        for gate in self._open.values():
            gate.set()

    async def break_connections(self) -> None:
        """End every connection at once; waiting bytes are lost."""
        ended = tuple(self._connections)
        for connection in ended:
            connection.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _accept(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        end = _reset
        ends = [near_out]
        try:
            if self._is_plugged_in:
                far, far_out = await asyncio.open_connection(LOOPBACK, self._broker_port)
                ends.append(far_out)
                await self._forward_both(near, near_out, far, far_out)
                end = _close
        except OSError:
            pass  # no broker: the program finds out by the reset
        except asyncio.CancelledError:
            pass  # this is how connections are broken
        finally:
            self._connections.discard(task)
            for out in ends:
                end(out)

    async def _forward_both(
        self,
        near: asyncio.StreamReader,
        near_out: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        far_out: asyncio.StreamWriter,
    ) -> None:
        ways = {
            asyncio.create_task(self._forward(near, far_out, Way.TO_BROKER)),
            asyncio.create_task(self._forward(far, near_out, Way.FROM_BROKER)),
        }
        try:
            # What one end sent before it closed is still forwarded; then both ends are cut.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_READ_BYTES):
                await self._open[way].wait()
                sink.write(data)
                await sink.drain()


def _close(out: asyncio.StreamWriter) -> None:
    """Close once everything is delivered."""
    out.close()


def _reset(out: asyncio.StreamWriter) -> None:
    """Close with a reset, as an unplugged cable does in the end."""
    link = out.get_extra_info("socket")
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    out.transport.abort()
