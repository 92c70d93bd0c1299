"""``GET /.well-known/est/cacerts``: the roots, for nodes that know them by fingerprint (RFC 7030, 4.1)."""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from starlette.requests import Request
from starlette.responses import Response

CERTIFICATES_TYPE = "application/pkcs7-mime"


class CaCertificates:
    """Answers with the same bytes for as long as the program runs."""

    def __init__(self, roots_pem: bytes) -> None:
        self._answer = certificates_only(x509.load_pem_x509_certificates(roots_pem))

    async def answer(self, _request: Request) -> Response:
        """Starlette."""
        return certificates_response(self._answer)


def certificates_only(certificates: list[x509.Certificate]) -> bytes:
    """PKCS#7 "certs-only" in DER, as base64: how EST hands out certificates."""
    return base64.encodebytes(pkcs7.serialize_certificates(certificates, serialization.Encoding.DER))


def certificates_response(answer: bytes) -> Response:
    """That, as EST wants it."""
    return Response(answer, media_type=CERTIFICATES_TYPE, headers={"content-transfer-encoding": "base64"})
