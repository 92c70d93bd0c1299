"""The demo's connection to the air's program: its state, and orders for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from demo.air.orders import AirState, AnyOrder, Reply
from runtime.unix_address import socket_address

_LINE_BYTES_MAX: Final = 1_048_576
_ANSWER_WITHIN_S: Final = 60.0


class AirRefusedError(Exception):
    """The air refused; the message is its reason."""


class AirLink:
    """A connection to the air's control socket, made again each time the air starts.

    Attributes:
        state: last received; empty while there is no air.
    """

    def __init__(self, control_socket: Path, on_change: Callable[[], None]) -> None:
        self.state = AirState()
        self._path = control_socket
        self._on_change = on_change
        self._out: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Reply]] = deque()

    async def connect(self) -> None:
        """Connect to an air that has reported itself up.

        Raises:
            OSError: it does not answer.
        """
        with socket_address(self._path) as address:
            lines, self._out = await asyncio.open_unix_connection(address, limit=_LINE_BYTES_MAX)
        self._reading = asyncio.create_task(self._read(lines))

    async def disconnect(self) -> None:
        """Disconnect: the air is gone, or about to go."""
        out, self._out = self._out, None
        reading, self._reading = self._reading, None
        if out is not None:
            out.close()
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        self._forget()

    async def order(self, order: AnyOrder) -> None:
        """Have an order carried out.

        Raises:
            AirRefusedError: refused, or there is no air.
        """
        if self._out is None:
            raise AirRefusedError("there is no air")
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._out.write(msgspec.json.encode(order) + b"\n")
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                reply = await answer
        except TimeoutError as e:
            raise AirRefusedError("the air does not answer") from e
        if reply.error:
            raise AirRefusedError(reply.error)

    async def _read(self, lines: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := await lines.readline():
                reply = msgspec.json.decode(line, type=Reply)
                if reply.air is not None:
                    self.state = reply.air
                    self._on_change()
                elif self._asked:
                    answer = self._asked.popleft()
                    if not answer.done():
                        answer.set_result(reply)
        self._forget()

    def _forget(self) -> None:
        self.state = AirState()
        while self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_result(Reply(error="the air is gone"))
        self._on_change()
