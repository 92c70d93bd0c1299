"""The socket at which central orders (docs/notices.md). One connection counts, the newest."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from runtime.unix_address import socket_address
from wire.notices import (
    LINE_BYTES_MAX,
    CentralLine,
    Hello,
    NoticeLineError,
    NotifierLine,
    decode_ordered,
    encode_notice_line,
)

logger = logging.getLogger(__name__)

BACKLOG_BYTES_MAX: Final = 1_048_576
"""What a central that does not read may let wait; then it is hung up on."""
_PEER: Final = struct.Struct("3i")
"""struct ucred (unix(7)): process, user, group."""
_SOCKET_MODE: Final = 0o660


class CentralSocket:
    """Serves until it is closed. Used on one loop.

    Args:
        path: of the socket; one left behind is replaced.
        user: central's user id; nobody else is heard.
        hello: our first line.
        take: takes what central says.
    """

    def __init__(self, path: Path, user: int, hello: Hello, take: Callable[[CentralLine], None]) -> None:
        self._path = path
        self._user = user
        self._hello = encode_notice_line(hello)
        self._take = take
        self._central: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Begin to serve.

        Raises:
            OSError: the folder is missing, or something else stands there.
        """
        self._server = await asyncio.start_unix_server(self._serve, sock=_bound(self._path), limit=LINE_BYTES_MAX)

    def say(self, line: NotifierLine) -> None:
        """Say this to central. With nobody there it is dropped: central orders again, and is answered then."""
        if self._central is None:
            return
        self._central.write(encode_notice_line(line))
        if self._central.transport.get_write_buffer_size() > BACKLOG_BYTES_MAX:
            logger.warning("central does not read: hung up")
            self._hang_up(self._central)

    def close(self) -> None:
        """Hang up and stop."""
        if self._server is not None:
            self._server.close()
        if self._central is not None:
            self._hang_up(self._central)
        with suppress(OSError):
            self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        user = _PEER.unpack(peer)[1]
        if user != self._user:
            logger.warning("user %d is not central: hung up", user)
            writer.transport.abort()
            return
        if self._central is not None:
            self._hang_up(self._central)
        self._central = writer
        writer.write(self._hello)
        try:
            while self._central is writer:
                # A line that is too long is no IncompleteReadError, and ends the connection all the same.
                self._take(decode_ordered(await reader.readuntil(b"\n")))
        except (asyncio.IncompleteReadError, OSError):
            pass
        except (asyncio.LimitOverrunError, NoticeLineError) as e:
            logger.warning("what central says cannot be read: hung up: %s", e)
        finally:
            self._hang_up(writer)

    def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        if self._central is writer:
            self._central = None
        writer.transport.abort()


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket_address(path) as address:
            with suppress(FileNotFoundError):
                if stat.S_ISSOCK(path.lstat().st_mode):
                    path.unlink()
            listener.bind(address)
            Path(address).chmod(_SOCKET_MODE)
    except OSError:
        listener.close()
        raise
    return listener


def own_user() -> int:
    """Ours."""
    return os.geteuid()
