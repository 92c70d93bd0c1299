"""Connections that owe the page a request, or never read its answer (C1)."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from provisioning.certificates import CertificateAuthority, issue_server_certificate
from runtime import web_connections as connections
from runtime import web_server
from runtime.tls import server_context
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer

PATIENCE_S = 30.0
"""Shorter than asyncio's own for a handshake."""

pytestmark = [pytest.mark.integration, pytest.mark.finding(16)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OWED_WITHIN_S", 0.5)


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    issued = issue_server_certificate(CertificateAuthority.create("Town", datetime.now(UTC)), ["127.0.0.1"])
    for name, pem in (("cert.pem", issued.certificate_pem), ("key.pem", issued.key_pem)):
        (tmp_path / name).write_bytes(pem)
    return server_context(tmp_path / "cert.pem", tmp_path / "key.pem")


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None) -> Iterator[ScriptedServer]:
    started = ScriptedServer(ScriptedBoard(), tls=tls)
    try:
        yield started
    finally:
        started.stop()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTT",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /actions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Watchlink: 1\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["nothing", "first line", "headers", "body"],
)
def test_request_that_does_not_end_in_time_is_closed(server: ScriptedServer, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(begun)
        assert is_closed(connection)


def test_second_request_that_does_not_end_in_time_is_closed(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first is in time however long this thread waits for its turn.
    monkeypatch.setattr(connections, "OWED_WITHIN_S", 5.0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HT")
        assert is_closed(connection)


def test_handshake_that_does_not_begin_in_time_is_closed(tls: ssl.SSLContext) -> None:
    with (
        serving(tls) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection,
    ):
        assert is_closed(connection)


@pytest.mark.parametrize("has_tls", [False, True], ids=["plain", "TLS"])
def test_of_too_many_silent_connections_the_oldest_are_closed(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, *, has_tls: bool
) -> None:
    """None of these falls due, and nobody who speaks is shut out."""
    monkeypatch.setattr(connections, "OWED_WITHIN_S", 600.0)
    monkeypatch.setattr(web_server, "connections_max", lambda _wanted: 16)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(tls if has_tls else None))
        # While it starts the kernel queues few for it, and some that came first would be taken last.
        assert 200 == httpx.get(f"{server.url}healthz", verify=False, timeout=60).status_code
        # As many as the kernel queues, however late they are accepted: others would come after the request.
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S))
            for _ in range(connections.ACCEPTED_AT_ONCE - 1)
        ]
        assert 200 == httpx.get(f"{server.url}healthz", verify=False, timeout=60).status_code

        assert all(is_closed(connection) for connection in silent[: len(silent) + 1 - 16])
        silent[-1].settimeout(0.0)
        with pytest.raises(BlockingIOError):
            silent[-1].recv(1)


def is_closed(connection: socket.socket) -> bool:
    """Whether the server ends it before our own patience does."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True
