"""Which clients a server lets in, among those with a certificate that it trusts.

What is meant for central is not meant for every shop's node. The whole subject counts: a common name can be in the
certificate of another issuer too.
"""

from __future__ import annotations

import ssl
from collections.abc import Set as AbstractSet

from cryptography import x509


def admit_only(context: ssl.SSLContext, subjects: AbstractSet[str]) -> None:
    """Have a server's context refuse clients whose certificate has none of these subjects (RFC 4514, as text).

    For servers on asyncio. The refusal comes before a byte of a request is read: the connection ends.
    """

    class NamedClient(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            if _subject(self) not in subjects:
                raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the client's certificate is another program's")

    context.sslobject_class = NamedClient


def _subject(connection: ssl.SSLObject) -> str:
    certificate = connection.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(certificate).subject.rfc4514_string() if certificate else ""
