"""MQTT 5 by hand over mutual TLS, as fast as a thief would write it, waiting for little."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_CONNECT: Final = 0x10
_CONNACK: Final = 0x20
_PUBLISH: Final = 0x30
_QOS_1: Final = 0x02
_PINGREQ: Final = b"\xc0\x00"
_PINGRESP: Final = b"\xd0\x00"
_USER_PROPERTY: Final = 0x26
_DEADLINE_S: Final = 5.0


class Line:
    """One connection, accepted by the broker. Closes at the end of ``with``.

    Raises:
        OSError: no connection; ConnectionRefusedError: the broker's CONNACK refuses.
    """

    def __init__(self, host: str, port: int, folder: Path, node: str) -> None:
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        context.load_cert_chain(folder / "client.pem", folder / "client.key")
        raw = socket.create_connection((host, port), timeout=_DEADLINE_S)
        try:
            self._socket = context.wrap_socket(raw, server_hostname=host)
            self.send(_packet(_CONNECT, _text("MQTT") + b"\x05\x02\x00\x3c\x00" + _text(node)))
            check_connack(self._socket.recv(256))
        except BaseException:
            raw.close()
            raise

    def send(self, data: bytes) -> None:
        """Send all of ``data``, however long the door makes us wait."""
        self._socket.sendall(data)

    def settle(self) -> None:
        """Wait until the broker has read everything sent, by a ping that it answers in turn.

        Raises:
            OSError: it did not answer, or dropped us.
        """
        self._socket.sendall(_PINGREQ)
        answer = b""
        while len(answer) < len(_PINGRESP) and (more := self._socket.recv(len(_PINGRESP) - len(answer))):
            answer += more
        if answer != _PINGRESP:
            raise ConnectionAbortedError("the broker let us go")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()


def check_connack(answer: bytes) -> None:
    """Check that the broker accepts us.

    Raises:
        ConnectionRefusedError: it refuses.
    """
    # Packet type, remaining length, flags, reason: 0 is success.
    packet_type, reason = answer[:1], answer[3:4]
    if packet_type != bytes([_CONNACK]) or reason != b"\x00":
        raise ConnectionRefusedError(f"the broker refuses: {answer[:4].hex() or 'not a word'}")


def publication(topic: str, payload: bytes, signature: str | None = None, packet_id: int | None = None) -> bytes:
    """A PUBLISH: QoS 1 with a packet id (1 to 65,535), else QoS 0."""
    properties = b"" if signature is None else bytes([_USER_PROPERTY]) + _text("signature") + _text(signature)
    first, number = (_PUBLISH, b"") if packet_id is None else (_PUBLISH | _QOS_1, packet_id.to_bytes(2))
    return _packet(first, _text(topic) + number + _length(len(properties)) + properties + payload)


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _length(len(body)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data


def _length(number: int) -> bytes:
    found = bytearray()
    while True:
        number, low = divmod(number, 128)
        found.append(low | (0x80 if number else 0))
        if not number:
            return bytes(found)
