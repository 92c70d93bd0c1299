"""Observes what the running broker does with a certificate: one TLS connection, one CONNECT, one PUBLISH.

MQTT 5 by hand rather than a client library, because the TLS alert itself is the answer: with TLS 1.3 the client's
handshake succeeds before the server checks its certificate, and libraries then say "connection lost".
"""

from __future__ import annotations

import contextlib
import select
import ssl
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from socket import create_connection
from typing import Final, Protocol

from msgspec import Struct

_CONNACK: Final = 0x20
_PUBACK: Final = 0x40
_SUCCESS: Final = 0x00
_NO_SUBSCRIBERS: Final = 0x10
_NOT_AUTHORISED: Final = 0x87
_ONE_BYTE_LENGTH_MAX: Final = 0x7F
_REASON_AT: Final = 3  # offset of the reason code in CONNACK and in PUBACK, after a 2-byte header


class Verdict(StrEnum):
    """The broker's treatment of a certificate."""

    REVOKED = "refused as revoked"
    REFUSED = "refused, but not as revoked"
    FORBIDDEN = "let in, and its message forbidden"
    ACCEPTED = "let in, and its message taken"
    UNREACHABLE = "not answered"


class Shown(Protocol):
    """A certificate with its key, both PEM."""

    @property
    def certificate_pem(self) -> bytes:
        """Then its issuer's."""

    @property
    def key_pem(self) -> bytes:
        """Not encrypted."""


class Observation(Struct, frozen=True):
    """A verdict, and the words of the broker or the TLS library."""

    verdict: Verdict
    detail: str = ""


class BrokerProbe(Struct, frozen=True):
    """Observes one broker.

    Attributes:
        host, port: its address; its certificate must be valid for ``host``.
        ca_file: the CA that must have signed it.
        timeout_s: for each step.
    """

    host: str
    port: int
    ca_file: Path
    timeout_s: float = 5.0

    def observe(self, certificate: Shown, topic: str) -> Observation:
        """Connect as ``certificate``, publish one empty message to ``topic`` at QoS 1, and report the answer."""
        with _files(certificate) as (certificate_file, key_file):
            context = ssl.create_default_context(cafile=str(self.ca_file))
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_cert_chain(certificate_file, key_file)
        try:
            with (
                create_connection((self.host, self.port), timeout=self.timeout_s) as plain,
                context.wrap_socket(plain, server_hostname=self.host) as link,
            ):
                return self._converse(link, topic)
        except ssl.SSLCertVerificationError as e:
            return Observation(Verdict.UNREACHABLE, f"it is not this fleet's broker: {e.verify_message}")
        except ssl.SSLError as e:
            reason = e.reason or str(e)
            if "ALERT" not in reason:  # the connection broke without a reason
                return Observation(Verdict.UNREACHABLE, reason)
            return Observation(Verdict.REVOKED if "CERTIFICATE_REVOKED" in reason else Verdict.REFUSED, reason)
        except OSError as e:
            return Observation(Verdict.UNREACHABLE, str(e))

    def shown(self) -> bytes:
        """The certificate that it shows, DER.

        Raises:
            OSError: it did not answer, or is not this fleet's.
        """
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with (
            create_connection((self.host, self.port), timeout=self.timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=self.host) as link,
        ):
            return link.getpeercert(binary_form=True) or b""

    def _converse(self, link: ssl.SSLSocket, topic: str) -> Observation:
        self._hear_first(link)
        link.sendall(_connect())
        answer = _packet(link)
        if answer[:1] != bytes([_CONNACK]) or answer[_REASON_AT] != _SUCCESS:
            return Observation(Verdict.REFUSED, f"CONNACK {answer.hex()}")
        link.sendall(_publish(topic))
        answer = _packet(link)
        # A PUBACK of two bytes means success (MQTT 5, 3.4.2.1).
        reason = answer[_REASON_AT + 1] if len(answer) > _REASON_AT + 1 else _SUCCESS
        if answer[:1] != bytes([_PUBACK]) or reason not in {_SUCCESS, _NO_SUBSCRIBERS, _NOT_AUTHORISED}:
            return Observation(Verdict.REFUSED, f"PUBACK {answer.hex()}")
        link.sendall(b"\xe0\x00")  # DISCONNECT
        return Observation(Verdict.FORBIDDEN if reason == _NOT_AUTHORISED else Verdict.ACCEPTED)

    def _hear_first(self, link: ssl.SSLSocket) -> None:
        """Wait for the server's session tickets or alert after its handshake, before sending anything.

        If it hung up with our bytes unread, its reset would overtake the alert.
        """
        answered = select.poll()
        answered.register(link, select.POLLIN)
        answered.poll(self.timeout_s * 1000)
        link.settimeout(0)
        with contextlib.suppress(ssl.SSLWantReadError):  # tickets only
            link.recv(1)
        link.settimeout(self.timeout_s)


def _connect() -> bytes:
    # Name, version 5, clean start, keep alive 30 s, no properties; the client id is the broker's to choose.
    body = b"\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x05proof"
    return b"\x10" + bytes([len(body)]) + body


def _publish(topic: str) -> bytes:
    name = topic.encode()
    body = len(name).to_bytes(2) + name + b"\x00\x01\x00"  # packet id 1, no properties, no payload
    assert len(body) <= _ONE_BYTE_LENGTH_MAX, "one length byte is enough for our own topic"
    return b"\x32" + bytes([len(body)]) + body


def _packet(link: ssl.SSLSocket) -> bytes:
    """The next packet with its header; the expected ones are short, so their length is one byte."""
    packet = _exactly(link, 2)
    return packet + _exactly(link, packet[1] & _ONE_BYTE_LENGTH_MAX)


def _exactly(link: ssl.SSLSocket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = link.recv(count - len(data))
        if not more:
            raise ConnectionResetError("the broker hung up")
        data += more
    return data


@contextlib.contextmanager
def _files(certificate: Shown) -> Iterator[tuple[Path, Path]]:
    # OpenSSL takes a client's certificate only from files; mkdtemp makes a folder only its owner can enter.
    with tempfile.TemporaryDirectory(prefix="watchlink-proof-") as folder:
        certificate_file, key_file = Path(folder) / "client.pem", Path(folder) / "client.key"
        certificate_file.write_bytes(certificate.certificate_pem)
        key_file.write_bytes(certificate.key_pem)
        yield certificate_file, key_file
