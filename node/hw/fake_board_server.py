"""The fake board's socket: one thread, many clients, JSON lines both ways, everything limited."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from node.hw.errors import FakeBoardError
from runtime.unix_address import socket_address

Message = dict[str, object]

CLIENTS_MAX: Final = 16
LINE_BYTES_MAX: Final = 4_096
BACKLOG_BYTES_MAX: Final = 512 * 1024
"""A client this far behind misses further messages, and gets the current state once it has caught up."""
QUEUE_MAX: Final = 256
_READ_BYTES: Final = 4_096
_FLUSH_S: Final = 0.5


class _Client:
    """One connection: its incomplete input line and its pending output."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.incoming = b""
        self.is_skipping = False
        self.outgoing = bytearray()
        self.is_behind = False


class FakeBoardServer:
    """Serves a Unix socket.

    Args:
        path: of the socket; one left behind by a dead board is replaced.
        state: the messages that a new client gets first.
        obey: carries out one message; ``ValueError`` is answered with ``{"error": …}``.

    Raises:
        FakeBoardError: the path cannot be served.
    """

    def __init__(
        self, path: Path, state: Callable[[], tuple[Message, ...]], obey: Callable[[dict[str, Any]], None]
    ) -> None:
        self._path = path
        self._state = state
        self._obey = obey
        self._listener = _listening(path)
        self._clients: dict[socket.socket, _Client] = {}
        self._news: deque[bytes] = deque(maxlen=QUEUE_MAX)
        self._is_closing = False
        self._waker, self._wakened = socket.socketpair()
        self._waker.settimeout(0)
        self._wakened.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wakened, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="fake-board", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def publish(self, message: Message) -> None:
        """Send to every client. Any thread; never waits."""
        self._news.append(_line(message))
        self._wake()

    def close(self) -> None:
        """Send the rest to clients that read, hang up, remove the socket. Idempotent."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._thread.ident is None:
            self._let_go()
        else:
            self._wake()
            self._thread.join(_FLUSH_S * 3)
        self._path.unlink(missing_ok=True)

    def _wake(self) -> None:
        # A full pipe has already woken it; a closed one has nobody left to wake.
        with suppress(OSError):
            self._waker.send(b"\0")

    def _let_go(self) -> None:
        """By the thread itself, if there is one: it may be late, and would find them closed."""
        for closable in (self._selector, self._listener, self._waker, self._wakened):
            closable.close()

    def _run(self) -> None:
        try:
            self._serve_until_closed()
        finally:
            self._let_go()

    def _serve_until_closed(self) -> None:
        while not self._is_closing:
            for key, events in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._wakened:
                    self._spread()
                else:
                    self._serve(key.data, events)
        self._spread()
        deadline_s = time.monotonic() + _FLUSH_S
        while any(client.outgoing for client in self._clients.values()) and time.monotonic() < deadline_s:
            for key, events in self._selector.select(_FLUSH_S):
                if key.data is not None:
                    self._serve(key.data, events & selectors.EVENT_WRITE)
        for client in list(self._clients.values()):
            self._drop(client)

    def _accept(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            connection.settimeout(0)
            client = _Client(connection)
            if len(self._clients) >= CLIENTS_MAX:
                connection.send(_line({"error": f"at most {CLIENTS_MAX} clients"}))
                connection.close()
                return
            # Queued messages are older than the state that a new client gets: the others get them first.
            self._spread()
            self._clients[connection] = client
            self._selector.register(connection, selectors.EVENT_READ, client)
            for message in self._state():
                self._send(client, _line(message))

    def _spread(self) -> None:
        with suppress(OSError):
            while self._wakened.recv(_READ_BYTES):
                pass
        while self._news:
            line = self._news.popleft()
            for client in list(self._clients.values()):
                self._send(client, line)

    def _serve(self, client: _Client, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(client)
        # The same round may have hung up on it.
        if client.connection in self._clients and events & selectors.EVENT_READ:
            try:
                data = client.connection.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._drop(client)
                return
            self._take(client, data)

    def _take(self, client: _Client, data: bytes) -> None:
        client.incoming += data
        *lines, client.incoming = client.incoming.split(b"\n")
        for line in lines:
            if client.is_skipping:
                client.is_skipping = False
            elif len(line) > LINE_BYTES_MAX:
                self._refuse_length(client)
            elif line.strip():
                self._answer(client, line)
        if len(client.incoming) > LINE_BYTES_MAX:
            client.incoming = b""
            if not client.is_skipping:
                client.is_skipping = True
                self._refuse_length(client)

    def _refuse_length(self, client: _Client) -> None:
        self._send(client, _line({"error": f"a line has at most {LINE_BYTES_MAX} bytes"}))

    def _answer(self, client: _Client, line: bytes) -> None:
        try:
            message = json.loads(line)
            if not isinstance(message, dict):
                raise ValueError("expected a JSON object")  # noqa: TRY301, TRY004 - answered as the decoder's own are
            self._obey(message)
        except RecursionError:
            self._send(client, _line({"error": "nested too deeply"}))
        except ValueError as error:  # json and unicode errors are ValueErrors
            self._send(client, _line({"error": str(error)}))

    def _send(self, client: _Client, line: bytes) -> None:
        if len(client.outgoing) + len(line) > BACKLOG_BYTES_MAX:
            client.is_behind = True
        else:
            client.outgoing += line
        self._flush(client)

    def _flush(self, client: _Client) -> None:
        try:
            sent = client.connection.send(client.outgoing) if client.outgoing else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(client)
            return
        del client.outgoing[:sent]
        if client.is_behind and not client.outgoing:
            client.is_behind = False
            client.outgoing += b"".join(_line(message) for message in self._state())
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.outgoing else 0)
        with suppress(KeyError):
            self._selector.modify(client.connection, events, client)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.connection, None) is not None:
            self._selector.unregister(client.connection)
            client.connection.close()


def _line(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


def _listening(path: Path) -> socket.socket:
    """Bind and listen, in place of a socket that nobody serves any more.

    Raises:
        FakeBoardError: another board serves it, or the folder is missing or not ours to write to.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket_address(path) as address:
            if path.is_socket():
                _refuse_living(path, address)
                path.unlink(missing_ok=True)
            listener.bind(address)
            # Only the owner may connect, and so press buttons. Nobody can before listen().
            Path(address).chmod(0o600)
        listener.listen(CLIENTS_MAX)
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        if isinstance(error, FakeBoardError):
            raise
        raise FakeBoardError(f"cannot serve {path}: {error}") from error
    return listener


def _refuse_living(path: Path, address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            return
    raise FakeBoardError(f"another board serves {path}")
