"""The TCP socket under an MQTT connection: it notices a dead link, and little waits unread in kernels.

Left to itself, a kernel holds megabytes for a program that reads too slowly. During a flood that was 5.5 MB of a
member's junk at a node, and its receipt waited behind them for half a minute. What does not fit now is the broker's to
hold, within its own limits.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
from collections.abc import Callable
from typing import Final

import paho.mqtt.client as mqtt

logger = logging.getLogger(__name__)

UNREAD_BYTES_MAX: Final = 65_536
"""At our end, as much as the largest packet. Linux takes twice this, for records of its own."""
SEGMENT_BYTES: Final = 1_448
"""As on Ethernet. On loopback a segment has 64 kB, and by it the kernel measures what it holds at the broker's end:
4 MB, where the broker itself cannot be told to ask for less."""


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    one, other = socket.socketpair()
    one.settimeout(0)
    other.settimeout(0)
    return one, other


# By which paho wakes its own thread. Its own pair listens on a port of loopback for a moment, and a node's unit may not
# listen on any (SocketBindDeny=any): the program ended at each start.
mqtt._socketpair_compat = _socket_pair  # noqa: SLF001 - paho offers no other way


class Client(mqtt.Client):
    """paho's client on such a socket.

    Attributes:
        renewed_context: asked before each connection; what it returns replaces the TLS context, for good.
    """

    renewed_context: Callable[[], ssl.SSLContext | None] = staticmethod(lambda: None)

    def _create_socket_connection(self) -> socket.socket:
        context = self.renewed_context()
        if context is not None:
            self._ssl_context = context
        return connect(self._host, self._port, timeout_s=self._connect_timeout, keepalive_s=self._keepalive)

    def break_off(self) -> None:
        """End the connection under way, if there is one, without a goodbye."""
        sock = self.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def say_goodbye(self) -> None:
        """Have the broker end the connection, and publish no will: ``disconnect()`` would also stay away after it."""
        try:
            self._send_disconnect()
        except Exception:
            logger.exception("no clean goodbye to the broker")


def connect(host: str, port: int, *, timeout_s: float, keepalive_s: int) -> socket.socket:
    """A socket connected to the first address of ``host`` that answers.

    Raises:
        OSError: none does, or the name is not known.
    """
    error = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as e:  # A kernel without IPv6, for one.
            error = e
            continue
        try:
            _set_options(sock, keepalive_s)
            sock.settimeout(timeout_s)
            sock.connect(address)
        except OSError as e:
            sock.close()
            error = e
        else:
            return sock
    raise error


def _set_options(sock: socket.socket, keepalive_s: int) -> None:
    """Before it connects: both ends settle the sizes then. A machine that does not know one goes without."""
    for level, name, value in (
        (socket.SOL_SOCKET, "SO_RCVBUF", UNREAD_BYTES_MAX),
        (socket.IPPROTO_TCP, "TCP_MAXSEG", SEGMENT_BYTES),
        (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", keepalive_s),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", max(1, keepalive_s // 3)),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", keepalive_s * 1000),
    ):
        try:
            if hasattr(socket, name):
                sock.setsockopt(level, getattr(socket, name), value)
        except OSError as e:
            logger.warning("socket option not set: %s: %s", name, e.strerror or os.strerror(e.errno or 0))
