"""Which of a broker's addresses a socket is connected to."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from runtime.mqtt_socket import Client, connect
from tests.support.fleet_broker import free_port

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]


@pytest.fixture
def broker() -> Iterator[socket.socket]:
    """One that accepts at an address of IPv4 alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def resolve_to(addresses: list[Address], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)


def address_of(listener: socket.socket, family: socket.AddressFamily = socket.AF_INET) -> Address:
    return family, socket.SOCK_STREAM, 0, "", listener.getsockname()


def refusing() -> Address:
    """Nobody listens there, nor will another program."""
    return socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", free_port())


@pytest.mark.parametrize("before", ["of a family that this kernel does not have", "where nobody listens"])
def test_socket_goes_on_to_the_next_address(
    broker: socket.socket, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may have an IPv6 address on a machine whose kernel runs without IPv6."""
    # IPX, which no kernel has had for years.
    first = refusing() if "listens" in before else address_of(broker, socket.AF_IPX)
    resolve_to([first, address_of(broker)], monkeypatch)
    with connect("broker.example", 8883, timeout_s=5, keepalive_s=30) as found:
        assert broker.getsockname() == found.getpeername()


def test_socket_that_no_address_takes_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to([refusing()], monkeypatch)
    with pytest.raises(ConnectionRefusedError):
        connect("broker.example", 8883, timeout_s=5, keepalive_s=30)


def test_client_starts_where_nobody_may_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node's unit forbids it, and paho would listen on a port for a moment (F3)."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    client = Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect_async("127.0.0.1", 1)

    assert mqtt.MQTT_ERR_SUCCESS == client.loop_start()

    assert mqtt.MQTT_ERR_SUCCESS == client.loop_stop()
