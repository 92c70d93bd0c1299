"""The leanest MQTT 3.1.1 client that can carry a measurement: asyncio, QoS 1, no retries, no queue, no checks.

It is on both sides of every comparison, as the crowd that presses and as the reference server, so no figure of
Watchlink's includes the cost of a client library in the measuring.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Callable

Handler = Callable[[str, bytes], None]


class RawClient(asyncio.Protocol):
    """One connection.

    Args:
        client_id: for brokers that ask; ours takes the certificate's subject.
        on_publish: called with topic and payload of every message, on the loop; the PUBACK is sent after it returns.
    """

    def __init__(self, client_id: str, on_publish: Handler) -> None:
        self._client_id = client_id
        self._on_publish = on_publish
        self._buffer = bytearray()
        self._packet_id = 0
        self._transport: asyncio.Transport | None = None
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.unacknowledged = 0
        """Publishes without a PUBACK from the broker yet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send CONNECT (clean session; a keepalive of one minute, longer than any measurement)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send(0x10, _text("MQTT") + b"\x04\x02\x00\x3c" + _text(self._client_id))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail everything that still waits."""
        for waiting in (self.connected, self.subscribed):
            if not waiting.done():
                waiting.set_exception(exc or ConnectionError("the broker closed the connection"))
                waiting.exception()  # retrieved, or a crowd being stopped logs each one

    def data_received(self, data: bytes) -> None:
        """Read whole packets off the front of the buffer."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= 2:  # noqa: PLR2004 - the shortest packet
            length, shift, at = 0, 0, start + 1
            while at < len(buffer):
                length |= (buffer[at] & 0x7F) << shift
                shift += 7
                at += 1
                if not buffer[at - 1] & 0x80:
                    break
            else:
                break
            if len(buffer) < at + length:
                break
            self._packet(buffer[start], bytes(buffer[at : at + length]))
            start = at + length
        del buffer[:start]

    def subscribe(self, *topics: str) -> None:
        """SUBSCRIBE at QoS 1; ``subscribed`` is done when the broker has answered."""
        body = b"".join(_text(topic) + b"\x01" for topic in topics)
        self._send(0x82, self._next_id() + body)

    def publish(self, topic: str, payload: bytes) -> None:
        """PUBLISH at QoS 1."""
        self.unacknowledged += 1
        self._send(0x32, _text(topic) + self._next_id() + payload)

    def close(self) -> None:
        """DISCONNECT."""
        if self._transport is not None:
            self._send(0xE0, b"")
            self._transport.close()

    def _packet(self, first: int, body: bytes) -> None:
        match first >> 4:
            case 2:
                if body[1]:
                    self.connected.set_exception(ConnectionRefusedError(f"CONNACK {body[1]}"))
                else:
                    self.connected.set_result(None)
            case 3:
                end = 2 + int.from_bytes(body[:2], "big")
                has_id = bool(first & 0x06)
                self._on_publish(body[2:end].decode(), body[end + 2 * has_id :])
                if has_id:
                    self._send(0x40, body[end : end + 2])
            case 4:
                self.unacknowledged -= 1
            case 9:
                self.subscribed.set_result(None)

    def _next_id(self) -> bytes:
        self._packet_id = self._packet_id % 0xFFFF + 1
        return struct.pack(">H", self._packet_id)

    def _send(self, first: int, body: bytes) -> None:
        assert self._transport is not None
        length, header = len(body), bytearray([first])
        while True:
            length, low = divmod(length, 128)
            header.append(low | 0x80 if length else low)
            if not length:
                break
        self._transport.write(bytes(header) + body)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


async def connect(
    client_id: str, port: int, context: ssl.SSLContext, topics: tuple[str, ...], on_publish: Handler
) -> RawClient:
    """Connect over TLS to the broker on this machine, subscribe, and wait for both answers."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(
        lambda: RawClient(client_id, on_publish), "127.0.0.1", port, ssl=context, server_hostname="127.0.0.1"
    )
    await client.connected
    if topics:
        client.subscribe(*topics)
        await client.subscribed
    return client
