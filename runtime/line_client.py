"""A client of a program beside this one, at a Unix stream socket on which both say lines.

A thread of its own. The other may be starting, hung or gone: it is connected to again and again, and nobody waits for
it.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from runtime.unix_address import socket_address
from wire.errors import DecodeError

logger = logging.getLogger(__name__)

BACKLOG_BYTES_MAX: Final = 1_048_576
"""Of another that does not read; then it is hung up on."""
_READ_BYTES: Final = 65_536


class LineClient(ABC):
    """Connects until it is stopped. All but :meth:`start`, :meth:`stop` and :meth:`_wake` is for its own thread.

    Args:
        path: of the other's socket.
        other: who it is, for the log: "the notifier".
        line_bytes_max: of what the other says.
        pauses_s: before the next try to connect; the last one again and again.
    """

    def __init__(self, path: Path, other: str, line_bytes_max: int, pauses_s: tuple[float, ...]) -> None:
        self._path = path
        self._other = other
        self._line_bytes_max = line_bytes_max
        self._pauses_s = pauses_s
        self._socket: socket.socket | None = None
        self._incoming = b""
        self._outgoing = bytearray()
        self._failures = 0
        self._connect_s = 0.0
        self._is_closing = False
        self._waker, self._wakened = socket.socketpair()
        self._waker.settimeout(0)
        self._wakened.settimeout(0)
        self._thread = threading.Thread(target=self._run, name=f"{other.removeprefix('the ')}-link", daemon=True)

    def start(self) -> None:
        """Begin to connect. Never raises."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up and stop. Idempotent."""
        self._is_closing = True
        self._wake()
        if self._thread.ident is None:
            self._end()
        else:
            self._thread.join(1.0)

    @abstractmethod
    def _prepare(self) -> None:
        """Add to :attr:`_outgoing` what is to be said."""

    @abstractmethod
    def _take(self, lines: list[bytes]) -> None:
        """What the other said, each with its line feed. May raise ``DecodeError``: then it is hung up on."""

    @abstractmethod
    def _moments_s(self) -> Iterable[float]:
        """When :meth:`_look_at_clock` has something to do at the latest, monotonic."""

    @abstractmethod
    def _look_at_clock(self) -> None:
        """Give up what has waited too long."""

    @abstractmethod
    def _gone(self) -> None:
        """The connection is no more."""

    def _wake(self) -> None:
        # A full pipe has already woken it; a closed one has nobody left to wake.
        with suppress(OSError):
            self._waker.send(b"\0")

    def _run(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wakened, selectors.EVENT_READ)
                while not self._is_closing:
                    self._turn(selector)
        finally:
            self._end()

    def _end(self) -> None:
        self._hang_up()
        self._waker.close()
        self._wakened.close()

    def _turn(self, selector: selectors.BaseSelector) -> None:
        if self._socket is None and time.monotonic() >= self._connect_s:
            self._connect()
        self._prepare()
        if len(self._outgoing) > BACKLOG_BYTES_MAX:
            self._lose()
        if self._socket is not None:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
            selector.register(self._socket, wanted)
        try:
            ready = selector.select(self._wait_s())
        finally:
            if self._socket is not None:
                selector.unregister(self._socket)
        for key, events in ready:
            if key.fileobj is self._wakened:
                with suppress(OSError):
                    self._wakened.recv(_READ_BYTES)
            elif self._socket is not None:
                self._serve(self._socket, events)
        self._look_at_clock()

    def _wait_s(self) -> float | None:
        moments = [*self._moments_s()]
        if self._socket is None:
            moments.append(self._connect_s)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _connect(self) -> None:
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # A Unix socket connects at once, or its listener's queue is full.
            connecting.settimeout(0)
            with socket_address(self._path) as address:
                connecting.connect(address)
        except OSError as e:
            connecting.close()
            if not self._failures:
                logger.warning("%s cannot be reached: %s: %s", self._other, self._path, e.strerror)
            self._pause()
            return
        self._socket = connecting

    def _pause(self) -> None:
        self._connect_s = time.monotonic() + self._pauses_s[min(self._failures, len(self._pauses_s) - 1)]
        self._failures += 1

    def _serve(self, connected: socket.socket, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                del self._outgoing[: connected.send(self._outgoing)]
            if events & selectors.EVENT_READ:
                self._read(connected.recv(_READ_BYTES))
        except BlockingIOError:
            pass
        except OSError:
            self._lose()
        except DecodeError as e:
            logger.warning("what %s says cannot be read: %s", self._other, e)
            self._lose()

    def _read(self, found: bytes) -> None:
        if not found:
            raise ConnectionResetError
        *lines, self._incoming = (self._incoming + found).split(b"\n")
        if len(self._incoming) >= self._line_bytes_max:
            raise DecodeError("socket line", self._line_bytes_max)
        self._take([line + b"\n" for line in lines])

    def _lose(self) -> None:
        self._hang_up()
        self._pause()

    def _hang_up(self) -> None:
        was, self._socket = self._socket, None
        self._incoming = b""
        self._outgoing.clear()
        if was is not None:
            was.close()
            self._gone()
