"""A radio whose aerial is a Unix socket: it sends and hears through the demo's simulated air.

It is sound device and key in one, as ``AudioPort`` and ``PttPort`` of :mod:`node.net.radio.ports`; the air's tick is
its sound card's clock. docs/fakes.md lists the messages.
"""

from __future__ import annotations

import itertools
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from node.core.air import BLOCK_BYTES
from node.hw.errors import HardwareError
from runtime.unix_address import socket_address

SILENCE: Final = bytes(BLOCK_BYTES)
NAME_BYTES_MAX: Final = 64
_SEND_WITHIN_S: Final = 2
_JOIN_S: Final = 1.0
_MESSAGE_BYTES_MAX: Final = 4_096


class FakeRadioError(HardwareError, OSError):
    """There is no air, or the call is one that no radio supports."""


class _Playing(Struct, frozen=True):
    """Samples being played."""

    number: int
    on_end: Callable[[str], None]


class FakeRadio:
    """One radio on the air. Every method may be called from any thread.

    Args:
        air_socket: where the air listens.
        name: of this radio on the air: its node's id, as text.

    Raises:
        FakeRadioError: from :meth:`start`, :meth:`play` and :meth:`key`, which is an ``OSError``.
    """

    def __init__(self, air_socket: Path, name: str) -> None:
        self._path = air_socket
        self._name = name.encode()[:NAME_BYTES_MAX]
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._listener: threading.Thread | None = None
        self._playing: _Playing | None = None
        self._numbers = itertools.count(1)

    # -- AudioPort ------------------------------------------------------------------------------------------------

    def start(self, on_block: Callable[[bytes], None], on_failed: Callable[[str], None]) -> None:
        """Join the air. May be called again after losing it."""
        with self._lock:
            if self._connection is not None:
                raise FakeRadioError("it has started already")
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                # An air that hangs must not hang the node: a send gives up, while a receive may wait for ever.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_WITHIN_S, 0))
                with socket_address(self._path) as address:
                    connection.connect(address)
                connection.send(b"N" + self._name)
            except OSError as e:
                connection.close()
                raise FakeRadioError(f"there is no air at {self._path.name}: {e.strerror or e}") from e
            self._connection = connection
            self._listener = threading.Thread(
                target=self._listen, args=(connection, on_block, on_failed), name="fake-radio", daemon=True
            )
            self._listener.start()

    def play(self, samples: bytes, on_end: Callable[[str], None]) -> None:
        """Play at once; the last block is filled up with silence."""
        with self._lock:
            if self._playing is not None:
                raise FakeRadioError("it plays already")
            playing = _Playing(next(self._numbers), on_end)
            for start in range(0, len(samples), BLOCK_BYTES):
                self._send(b"A" + samples[start : start + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\0"))
            # The answer to the mark cannot be taken before this lock is released.
            self._send(b"E" + playing.number.to_bytes(4, "little"))
            self._playing = playing

    def flush(self) -> None:
        """Stop playing now."""
        with self._lock:
            if self._connection is not None:
                with suppress(FakeRadioError):  # the air is gone, and what it played with it
                    self._send(b"F")
            playing, self._playing = self._playing, None
        if playing is not None:
            playing.on_end("flushed")

    # -- PttPort --------------------------------------------------------------------------------------------------

    def key(self, max_ms: int) -> None:
        """Transmit; the air releases the key after ``max_ms``, like the guard of a real line."""
        with self._lock:
            self._send(b"K" + max_ms.to_bytes(4, "little"))

    def unkey(self) -> None:
        """Stop transmitting. Without an air there is nothing to unkey: it unkeys a radio that disconnects."""
        with self._lock:
            if self._connection is not None:
                self._send(b"U")

    # -- both -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Unkey and leave the air. Idempotent."""
        with self._lock:
            connection, self._connection = self._connection, None
            listener, self._listener = self._listener, None
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if listener is not None and listener is not threading.current_thread():
            listener.join(_JOIN_S)

    def _send(self, message: bytes) -> None:
        """Send a message; call with the lock held."""
        if self._connection is None:
            raise FakeRadioError("it is not on the air")
        try:
            self._connection.send(message)
        except OSError as e:
            raise FakeRadioError(f"the air does not take it: {e.strerror or e}") from e

    def _listen(
        self, connection: socket.socket, on_block: Callable[[bytes], None], on_failed: Callable[[str], None]
    ) -> None:
        reason = "the air is gone"
        try:
            while message := connection.recv(_MESSAGE_BYTES_MAX):
                if message[:1] == b"A" and len(message) == BLOCK_BYTES + 1:
                    on_block(message[1:])
                elif message == b"S":
                    on_block(SILENCE)
                elif message[:1] == b"E":
                    self._ended(int.from_bytes(message[1:], "little"))
        except OSError as e:
            reason = f"the air is gone: {e.strerror or e}"
        with self._lock:
            is_lost = self._connection is connection
            if is_lost:
                self._connection = self._listener = None
            playing, self._playing = self._playing, None
            connection.close()
        if playing is not None:
            playing.on_end(reason)
        if is_lost:
            on_failed(reason)

    def _ended(self, number: int) -> None:
        with self._lock:
            playing = self._playing
            if playing is None or playing.number != number:
                return  # for something flushed meanwhile
            self._playing = None
        playing.on_end("")
