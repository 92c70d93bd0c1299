"""As much of a broker as a proof looks at, in a thread: TLS 1.3, CONNECT, one PUBLISH, and answers at will."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from cryptography import x509

CONNACK = b"\x20\x03\x00\x00\x00"
PUBACK = b"\x40\x02\x00\x01"
NOT_AUTHORISED = b"\x40\x04\x00\x01\x87\x00"


@dataclass
class Orders:
    """What it goes by. It reads its files at each connection, as if it had just been reloaded.

    Attributes:
        folder: with ``ca.pem``, ``server.pem`` and ``server.key``.
        revoked: the revocation list; ``None`` = it obeys none.
        acl: ``None`` = it allows everything.
        greeting: all that it says, if it speaks no TLS.
        connacks: to each CONNECT in turn.
        puback: instead of its own; if it is cut short, it hangs up there.
        published: the topics so far, whether they were allowed or not.
        left: how many have said that they leave.
        is_common_name_believed: it does not read the whole subject alone.
    """

    folder: Path
    revoked: Path | None
    acl: Path | None
    greeting: bytes | None = None
    connacks: Iterator[bytes] = field(default_factory=lambda: repeat(CONNACK))
    puback: bytes | None = None
    published: list[str] = field(default_factory=list)
    left: int = 0
    is_common_name_believed: bool = False

    def names(self, subject: str) -> list[str]:
        """Under which the ACL gives rights; the common name too, if it is believed."""
        return (
            [subject, subject.split(",", maxsplit=1)[0].removeprefix("CN=")]
            if self.is_common_name_believed
            else [subject]
        )


class ProofBroker:
    """Listens from the start on, so that its port can be known to a fleet; answers once it has orders."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self.orders: Orders

    def obey(self, folder: Path) -> Orders:
        """Begin, with the files in that folder."""
        self.orders = Orders(folder, folder / "crl.pem", folder / "acl")
        self._thread.start()
        return self.orders

    def close(self) -> None:
        """Answer nobody any more."""
        with contextlib.suppress(OSError):  # closed before
            self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._door.close()

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self._door.accept()
            except OSError:
                return
            with plain:
                try:
                    self._serve(plain)
                except OSError:  # also ssl.SSLError: refused, or gone
                    continue

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(60)
        orders = self.orders
        if orders.greeting is not None:
            plain.sendall(orders.greeting)
            while plain.recv(1024):
                pass
            return
        with _context(orders).wrap_socket(plain, server_side=True) as link:
            user = _subject(link)
            connect = _packet(link)
            # MQTT 5, 3.1: protocol name and version.
            if connect[0] != 0x10 or connect[2:9] != b"\x00\x04MQTT\x05":
                return
            _send_in_pieces(link, next(orders.connacks))
            publish = _packet(link)
            # MQTT 5, 3.3: QoS 1, topic, packet id 1, no properties, no payload.
            end = 4 + int.from_bytes(publish[2:4])
            if publish[0] != 0x32 or publish[end:] != b"\x00\x01\x00":
                return
            topic = publish[4:end].decode()
            orders.published.append(topic)
            acl = orders.acl.read_text() if orders.acl is not None else ""
            may = orders.acl is None or any(f"user {name}\ntopic write {topic}\n" in acl for name in orders.names(user))
            puback = orders.puback if orders.puback is not None else PUBACK if may else NOT_AUTHORISED
            _send_in_pieces(link, puback)
            if len(puback) < 2 or len(puback) < 2 + puback[1]:
                return
            orders.left += _packet(link) == b"\xe0\x00"


def _context(orders: Orders) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(orders.folder / "server.pem", orders.folder / "server.key")
    context.load_verify_locations(orders.folder / "ca.pem")
    if orders.revoked is not None:
        context.load_verify_locations(orders.revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def _subject(link: ssl.SSLSocket) -> str:
    certificate = link.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate).subject.rfc4514_string()


def _packet(link: ssl.SSLSocket) -> bytes:
    head = link.recv(2)
    if len(head) < 2:
        raise ConnectionResetError("gone")
    return head + link.recv(head[1]) if head[1] else head


def _send_in_pieces(link: ssl.SSLSocket, packet: bytes) -> None:
    """As a network may."""
    for byte in packet:
        link.sendall(bytes([byte]))
