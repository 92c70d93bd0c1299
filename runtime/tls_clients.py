"""Which clients a server lets in, among those with a certificate of its CA.

One CA makes the certificates of all the town's programs: what is meant for central is not meant for every shop's node.
"""

from __future__ import annotations

import ssl
from collections.abc import Set as AbstractSet


def admit_only(context: ssl.SSLContext, common_names: AbstractSet[str]) -> None:
    """Have a server's context refuse clients whose certificate bears none of these common names.

    For servers on asyncio. The refusal comes before a byte of a request is read: the connection ends.
    """

    class NamedClient(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            if _common_name(self) not in common_names:
                raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the client's certificate is another program's")

    context.sslobject_class = NamedClient


def _common_name(connection: ssl.SSLObject) -> str:
    certificate = connection.getpeercert() or {}
    # One type stands for all fields of the dictionary, of which the subject is pairs.
    parts = [pair for part in certificate.get("subject", ()) for pair in part if isinstance(pair, tuple)]
    return str(dict(parts).get("commonName", ""))
