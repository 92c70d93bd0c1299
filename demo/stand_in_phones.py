"""Phones, their push service and a text gateway, on loopback: the real protocols, and none of the real companies.

The push service does what a real one does (RFC 8030): it asks who sends (VAPID, RFC 8292) and cannot read what it
passes on. The phone opens it with keys that it alone has (RFC 8291). Both say no, hang or point elsewhere when they are
told to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from msgspec import Struct

from wire.notices import Subscription

HOST: Final = "127.0.0.1"
BODY_BYTES_MAX: Final = 4_096
"""A push service need not take more (RFC 8030, section 7.2)."""
_AT: Final = "/push/"


class Shown(Struct, frozen=True):
    """What a phone was sent.

    Attributes:
        told: what the page's service worker is given.
        fields: of the request, by lower-case name.
        at: when it came.
    """

    told: dict[str, Any]
    fields: dict[str, str]
    at: datetime


class Phone:
    """A browser's page on a phone, with the keys of its subscription.

    Attributes:
        shown: what arrived, oldest first.
        answer: the status that its push service gives; 0 = it never answers.
    """

    def __init__(self, service: StandInPush, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret = os.urandom(16)
        self._public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.shown: list[Shown] = []
        self.answer = 201
        self.tries = 0
        self.subscription = Subscription(
            endpoint=f"{service.origin}{_AT}{name}", p256dh=_text(self._public), auth=_text(self._secret)
        )

    def open(self, body: bytes) -> dict[str, Any]:
        """Decrypt (RFC 8188, section 2; RFC 8291, section 3)."""
        salt, size, key_length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender = body[21 : 21 + key_length]
        record = body[21 + key_length :]
        if len(record) > size:
            raise ValueError("more than one record")
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        material = _derived(self._secret, shared, b"WebPush: info\0" + self._public + sender, 32)
        key = _derived(salt, material, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(salt, material, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, record, None)
        told: dict[str, Any] = json.loads(padded.rstrip(b"\0")[:-1])
        return told


class _Server:
    """An HTTP server on a free port of loopback."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, bytes], None], tls: ssl.SSLContext | None) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                self.close_connection = True
                answer(self, self.rfile.read(min(length, BODY_BYTES_MAX + 1)))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, request: object, client_address: object) -> None:
                """Somebody hung up."""

        self.over = threading.Event()
        self._server = Server((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; whoever hangs is let go."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class StandInPush:
    """A push service.

    Attributes:
        ca_file: whom to believe about it.
        refused: why it refused a sender; empty = it never did.
        away: where it points when a phone's answer is a redirection.
        pause_s: how long it takes to answer.
    """

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "push-service.pem"
        key_file = folder / "push-service.key"
        _write_certificate(self.ca_file, key_file)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.ca_file, key_file)
        self._phones: dict[str, Phone] = {}
        self.refused: list[str] = []
        self.away = ""
        self.pause_s = 0.0
        self._server = _Server(self._take, tls)
        self.origin = f"https://{HOST}:{self._server.port}"

    def phone(self, answer: int = 201) -> Phone:
        """A new phone, known by this service."""
        name = secrets.token_urlsafe(16)
        phone = self._phones[name] = Phone(self, name)
        phone.answer = answer
        return phone

    def close(self) -> None:
        """End it."""
        self._server.close()

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        phone = self._phones.get(request.path.removeprefix(_AT))
        if phone is None:
            _reply(request, 404)
            return
        answer = phone.answer  # Once: a test may change it meanwhile.
        phone.tries += 1
        fields = {name.lower(): value for name, value in request.headers.items()}
        if why := self._fault(fields, body):
            self.refused.append(why)
            _reply(request, 403)
            return
        if answer == 0:
            self._server.over.wait()
            return
        if answer == 201:  # noqa: PLR2004 - Created
            phone.shown.append(Shown(phone.open(body), fields, datetime.now(UTC)))
        time.sleep(self.pause_s)
        _reply(request, answer, self.away)

    def _fault(self, fields: dict[str, str], body: bytes) -> str:
        """What a real push service refuses."""
        if not fields.get("ttl", "").isdecimal():
            return "no TTL (RFC 8030, section 5.2)"
        if fields.get("content-encoding") != "aes128gcm" or len(body) > BODY_BYTES_MAX:
            return "not encrypted as RFC 8291 says"
        if len(fields.get("topic", "")) > 32:  # noqa: PLR2004 - RFC 8030, section 5.4
            return "topic too long (RFC 8030, section 5.4)"
        try:
            scheme, _, rest = fields["authorization"].partition(" ")
            given = dict(part.strip().split("=", 1) for part in rest.split(","))
            if scheme != "vapid":
                return "not VAPID (RFC 8292, section 3)"
            point = base64.urlsafe_b64decode(given["k"] + "=" * (-len(given["k"]) % 4))
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            claims = jwt.decode(given["t"], key, ["ES256"], audience=self.origin, options={"require": ["exp", "aud"]})
        except (KeyError, ValueError, jwt.PyJWTError) as e:
            return f"VAPID: {e!r}"
        is_soon = claims["exp"] - datetime.now(UTC).timestamp() <= timedelta(days=1).total_seconds()
        return "" if is_soon and claims.get("sub", "").startswith(("mailto:", "https:")) else "VAPID: exp or sub"


class StandInTexts:
    """A text gateway that takes JSON.

    Attributes:
        texts: what it took: to whom, and the words.
        answer: its status: 402 = the account is empty; 0 = it never answers.
        pause_s: how long it takes to answer.
    """

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.answer = 200
        self.tries = 0
        self.pause_s = 0.0
        self._server = _Server(self._take, None)
        self.url = f"json://user:secret-word@{HOST}:{self._server.port}/send?:to={{to}}"
        """For Apprise."""

    def close(self) -> None:
        """End it."""
        self._server.close()

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        answer = self.answer
        self.tries += 1
        if answer == 0:
            self._server.over.wait()
            return
        if answer == 200:  # noqa: PLR2004 - OK
            said = json.loads(body)
            self.texts.append((said["to"], said["message"]))
        time.sleep(self.pause_s)
        _reply(request, answer, self.url)


def _reply(request: BaseHTTPRequestHandler, status: int, location: str = "") -> None:
    request.send_response(status)
    if location:
        request.send_header("Location", location)
    request.send_header("Content-Length", "0")
    request.end_headers()


def _derived(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256, of at most one block (RFC 5869)."""
    extracted = hmac.digest(salt, material, hashlib.sha256)
    return hmac.digest(extracted, info + b"\1", hashlib.sha256)[:length]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _write_certificate(certificate_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a push service")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
