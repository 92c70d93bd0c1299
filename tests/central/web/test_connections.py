"""Connections that owe the page a request, or never read its answer (C1)."""

from __future__ import annotations

import socket

import pytest

from runtime import web_connections as connections
from tests.central.web.scripted_board import ScriptedServer

pytestmark = [pytest.mark.integration, pytest.mark.finding(16)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OWED_WITHIN_S", 0.5)


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


def test_second_request_that_does_not_end_in_time_is_closed(server: ScriptedServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(65_536)
        connection.sendall(b"GET / HT")
        assert is_closed(connection)


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
