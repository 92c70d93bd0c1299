"""A real HTTPS server with the office's certificate that says what a test wants: cut off, too large, wrong."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from msgspec import Struct, field

from runtime.tls import server_context
from tests.support.asking_town import HOST, AskingTown


class Said(Struct):
    """An answer.

    Attributes:
        cut_at: after so many bytes of the body the connection ends; ``None`` = it is sent whole.
        length: that is promised; ``None`` = the body's.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    length: int | None = None


class Asked(Struct, frozen=True):
    """A request.

    Attributes:
        serial: of the certificate that was shown.
        caller: the other end's port: another one for each connection.
    """

    path: str
    range: str
    body: bytes
    serial: int
    caller: int


class ScriptedOffice:
    """Says what ``say`` says.

    Attributes:
        asked: every request, in order.
    """

    def __init__(self, town: AskingTown, say: Callable[[Asked], Said]) -> None:
        self.asked: list[Asked] = []
        office = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Say nothing."""

            def _answer(self, body: bytes) -> None:
                assert isinstance(self.connection, ssl.SSLSocket)
                shown = self.connection.getpeercert() or {}
                serial = int(str(shown["serialNumber"]), 16)
                asked = Asked(self.path, self.headers.get("Range", ""), body, serial, self.client_address[1])
                office.asked.append(asked)
                said = say(asked)
                self.send_response(said.status)
                self.send_header("Content-Length", str(len(said.body) if said.length is None else said.length))
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(said.body[: said.cut_at])
                if said.cut_at is not None:
                    self.close_connection = True

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        nodes = town.folder / "nodes"
        tls = server_context(nodes / "server.pem", nodes / "server.key", clients_ca_file=nodes / "ca.pem")
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """In order."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def scripted_office(town: AskingTown, say: Callable[[Asked], Said]) -> Iterator[ScriptedOffice]:
    """One that is ended in any case."""
    office = ScriptedOffice(town, say)
    try:
        yield office
    finally:
        office.end()
