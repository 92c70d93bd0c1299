"""A unit whose certificate is to be renewed, and an issuer that signs what it asks for: all of it in one folder."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from node.renewal.asking import NotRenewedError
from node.renewal.renewing import Own, renew
from provisioning.certificates import CertificateAuthority
from runtime.tls import server_context
from tests.support.pairs import make, pair_in, write_pair
from wire.renewal import BACKDATED, CERTIFICATE_LIFE
from wire.renewal_request import open_renewal
from wire.signing import SigningKey

NODE = "00000010"
KEY = SigningKey(bytes(range(32)))
DAY = timedelta(days=1)


def make_unit(folder: Path) -> None:
    """A certificate of today's, and the issuer beside it."""
    folder.mkdir()
    authority = CertificateAuthority.create("Town", datetime.now(UTC))
    (folder / "ca.pem").write_bytes(authority.certificate_pem)
    (folder / "issuer.key").write_bytes(authority.key_pem)
    write_pair(folder, make(authority, NODE))


def own_of(folder: Path, *, is_for_gallery: bool = False) -> Own:
    """Its own."""
    return Own(
        node=NODE,
        is_for_gallery=is_for_gallery,
        pair=pair_in(folder),
        ca_file=folder / "ca.pem",
        signing_key=KEY,
    )


class Signer:
    """Signs whatever the unit's key has signed, for ``life`` from tomorrow on.

    Args:
        folder: of the unit.
        name: for whom it signs; empty = for who asks.
        life: of the certificates.
    """

    def __init__(self, folder: Path, name: str = "", life: timedelta = CERTIFICATE_LIFE) -> None:
        self._authority = CertificateAuthority.load(
            (folder / "ca.pem").read_bytes(), (folder / "issuer.key").read_bytes()
        )
        self._name = name
        self._life = life
        self.now = datetime.now(UTC) + DAY
        self.key = KEY
        self.keys: list[bytes] = []
        self.is_silent = False
        """It signs, and the answer is lost."""

    def __call__(self, request: bytes) -> bytes:
        """As the node asks it."""
        asked = open_renewal(request, lambda _node: self.key.public)
        csr = x509.load_der_x509_csr(asked.csr)
        assert csr.is_signature_valid
        now = self.now
        name = self._name or (f"gallery-{asked.node}" if asked.is_for_gallery else asked.node)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._authority.certificate.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + self._life)
            .sign(self._authority.key, hashes.SHA256())
        )
        der = serialization.Encoding.DER
        self.keys.append(csr.public_key().public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo))
        if self.is_silent:
            raise NotRenewedError("the answer was lost")
        return certificate.public_bytes(serialization.Encoding.PEM)


def renew_here(folder: Path) -> None:
    """The whole of a renewal."""
    renew(own_of(folder), Signer(folder))


class EnrolmentAnswers(http.server.BaseHTTPRequestHandler):
    """Answers each request with what the test wants."""

    answer: ClassVar[tuple[int, bytes]] = (200, b"")
    signer: ClassVar[Signer | None] = None

    def do_POST(self) -> None:
        """As :mod:`http.server` names it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = (200, self.signer(body)) if self.signer is not None else self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(certificate_file: Path, key_file: Path, answers: type[EnrolmentAnswers]) -> Iterator[int]:
    """The port of an HTTPS server with that certificate."""
    server = http.server.HTTPServer(("127.0.0.1", 0), answers)
    server.socket = server_context(certificate_file, key_file).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
