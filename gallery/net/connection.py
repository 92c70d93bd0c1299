"""One connection to the machine port of the office, kept open. Bodies are bounded; a file that was cut off goes on."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from gallery.net.errors import EndedError, OfficeError
from runtime.config import ConfigError
from runtime.key_pair import KeyPair
from runtime.own_certificate import OwnCertificate
from runtime.tls import describe_fault
from wire.enrolment import Refusal
from wire.limits import NAME_CHARS_MAX
from wire.text import display_text

SILENT_S: Final = 40.0
"""The office answers a question that nothing is new to after 25 seconds."""
WHOLE_S: Final = 600.0
"""A body that takes longer is cut off. A file goes on from there next time."""
_PART_BYTES: Final = 65_536
_REFUSAL_BYTES_MAX: Final = 4_096
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class Office(Struct, frozen=True):
    """Where it is, and what it is shown.

    Attributes:
        host, port: of the machine port.
        ca_file: PEM; the only root that is trusted.
        pair: certificate and key, ``gallery-NODE``.
    """

    host: str
    port: int
    ca_file: Path
    pair: KeyPair


class _Request(Struct, frozen=True):
    method: str
    path: str
    bytes_max: int
    body: bytes = b""
    may_borrow: bool = True


class Spare:
    """A connection that nobody uses just now, for whichever thread asks next: to make one costs as much as ten answers.

    Args:
        office: whose.
    """

    def __init__(self, office: Office) -> None:
        self._certificate = OwnCertificate(office.ca_file, office.pair, lambda _error: None)
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._idle: http.client.HTTPSConnection | None = None

    def context(self) -> ssl.SSLContext:
        """With the certificate that the unit has now.

        Raises:
            ConfigError: it cannot be used.
        """
        with self._lock:
            renewed = self._certificate.context() if self._context is None else self._certificate.renewed()
            if renewed is not None:
                self._context = renewed
                self._replace(None)
            assert self._context is not None
            return self._context

    def take(self) -> http.client.HTTPSConnection | None:
        """It is the caller's. It was made with the certificate of :meth:`context`."""
        with self._lock:
            idle, self._idle = self._idle, None
            return idle

    def give(self, connection: http.client.HTTPSConnection, context: ssl.SSLContext | None) -> None:
        """It is nobody's."""
        with self._lock:
            self._replace(connection)
            if context is not self._context:
                self._replace(None)

    def close(self) -> None:
        """Nobody wants it."""
        with self._lock:
            self._replace(None)

    def _replace(self, connection: http.client.HTTPSConnection | None) -> None:
        before, self._idle = self._idle, connection
        if before is not None:
            before.close()


class OfficeConnection:
    """For one thread, but for :meth:`end`.

    Args:
        office: whose.
        lock: held while it is decided whether a request is still wanted.
        spare: shared with another thread.
    """

    def __init__(self, office: Office, lock: threading.RLock, spare: Spare | None = None) -> None:
        self._host = office.host
        self._port = office.port
        self._spare = spare or Spare(office)
        self._lock = lock
        self._context: ssl.SSLContext | None = None
        self._connection: http.client.HTTPSConnection | None = None
        self._is_waiting = False
        self._partial: tuple[str, bytearray] = ("", bytearray())
        self._asked_for = ""

    def post(self, path: str, body: bytes, bytes_max: int, is_wanted: Callable[[], bool]) -> bytes:
        """The body of the answer.

        Raises:
            OfficeError: there is none, it is too large, or a refusal.
            EndedError: ``is_wanted`` says no, and :meth:`end` was called.
        """
        data = bytearray()
        self._request(_Request("POST", path, bytes_max, body), is_wanted, data)
        return bytes(data)

    def get(
        self,
        path: str,
        bytes_max: int,
        is_wanted: Callable[[], bool],
        *,
        may_go_on: bool = True,
        may_borrow: bool = True,
        then: str = "",
    ) -> bytes:
        """A file. Cut off, it goes on from there when it is asked for next. Raises as :meth:`post`.

        Args:
            path: names the same bytes for ever, if it may go on.
            bytes_max: so many may it have.
            is_wanted: asked before waiting.
            may_go_on: whether a part of it is worth keeping.
            may_borrow: whether the spare connection may be used, if there is one.
            then: asked for before this returns, and so on its way while the caller writes: what is got next.
        """
        if self._partial[0] != path or not may_go_on:
            self._partial = (path, bytearray())
        data = self._partial[1]
        self._request(_Request("GET", path, bytes_max, may_borrow=may_borrow), is_wanted, data)
        self._partial = ("", bytearray())
        if then:
            self._ask_for(then)
        return bytes(data)

    def lend(self) -> None:
        """Nothing is asked for the moment: another thread may have the connection."""
        if self._asked_for:
            return
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None and connection.sock is not None:
            self._spare.give(connection, self._context)

    def end(self) -> None:
        """Cut off what waits for an answer, so that it ends at once. From any thread, with the lock held."""
        connection = self._connection
        if self._is_waiting and connection is not None and connection.sock is not None:
            # Not the method of ssl, which would take TLS away from under the thread that reads.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def hang_up(self) -> None:
        """It is over: nothing is asked any more, and nothing lent."""
        self.close()
        self._spare.close()

    def close(self) -> None:
        """What was under way here is of no use any more."""
        self._asked_for = ""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _request(self, asked: _Request, is_wanted: Callable[[], bool], data: bytearray) -> None:
        is_done = False
        try:
            answer = self._answer(asked, is_wanted, len(data))
            self._read(answer, asked.bytes_max, data)
            is_done = True
        except (OSError, http.client.HTTPException, ValueError) as e:
            if not is_wanted():
                raise EndedError from e
            raise self._fault(e) from e
        finally:
            with self._lock:
                self._is_waiting = False
            if not is_done:
                self.close()

    def _answer(self, asked: _Request, is_wanted: Callable[[], bool], offset: int) -> http.client.HTTPResponse:
        if self._asked_for and (self._asked_for, 0) != (asked.path, offset):
            self.close()
        headers = {"Content-Type": "application/octet-stream"} if asked.body else {}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        while True:
            connection, is_used = self._connected(may_borrow=asked.may_borrow)
            with self._lock:
                if not is_wanted():
                    raise EndedError
                self._is_waiting = True
            is_asked, self._asked_for = bool(self._asked_for), ""
            try:
                if not is_asked:
                    connection.request(asked.method, asked.path, asked.body or None, headers)
                return connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionError):
                # The office has hung up meanwhile, as it does when nothing is asked for some seconds.
                self.close()
                if not is_used or not is_wanted():
                    raise

    def _connected(self, *, may_borrow: bool) -> tuple[http.client.HTTPSConnection, bool]:
        """A connection, and whether it was used before."""
        try:
            context = self._spare.context()
        except ConfigError as e:
            raise OfficeError(f"this unit's own certificate cannot be used: {e}") from e
        if context is not self._context:
            self.close()
        self._context = context
        if self._connection is not None and self._connection.sock is not None:
            return self._connection, True
        spare = self._spare.take() if may_borrow else None
        if spare is not None:
            with self._lock:
                self._connection = spare
            return spare, True
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=SILENT_S, context=self._context)
        with self._lock:
            self._connection = connection
        connection.connect()
        return connection, False

    def _ask_for(self, path: str) -> None:
        connection = self._connection
        if connection is None or connection.sock is None:
            return
        try:
            connection.request("GET", path)
        except (OSError, http.client.HTTPException):
            self.close()
        else:
            self._asked_for = path

    def _read(self, answer: http.client.HTTPResponse, bytes_max: int, data: bytearray) -> None:
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            match = _RANGE.fullmatch(answer.headers.get("content-range", ""))
            if match is None or int(match[1]) != len(data):
                data.clear()
                raise OfficeError(f"{self._name} sends another part of a file than it was asked for")
        elif answer.status != HTTPStatus.OK:
            data.clear()
            raise self._refusal(answer)
        else:
            data.clear()
        until_s = time.monotonic() + WHOLE_S
        while part := answer.read1(_PART_BYTES):
            data += part
            if len(data) > bytes_max:
                data.clear()
                raise OfficeError(f"{self._name} sends an answer that is too large")
            if time.monotonic() > until_s:
                raise OfficeError(f"{self._name} takes too long to send an answer")
        length = answer.length
        answer.close()
        if length:
            raise OfficeError(f"{self._name} was cut off in the midst of an answer")

    def _refusal(self, answer: http.client.HTTPResponse) -> OfficeError:
        try:
            refusal = msgspec.json.decode(answer.read(_REFUSAL_BYTES_MAX), type=Refusal)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return OfficeError(f"{self._name} answers with status {answer.status}", answer.status)
        problem = display_text(refusal.problem, NAME_CHARS_MAX)
        return OfficeError(f"{self._name} refuses: {problem}", answer.status, refusal.retry_s)

    def _fault(self, error: Exception) -> OfficeError:
        if isinstance(error, OSError):
            return OfficeError(describe_fault(error, self._host, self._port, "office").detail)
        return OfficeError(f"{self._name} sends no answer that can be read ({type(error).__name__})")

    @property
    def _name(self) -> str:
        return f"the office at {self._host}:{self._port}"
