"""The broker's revocation lists: PEM in one file, with a list for each issuer (ADR 0029).

A broker that reloads a damaged file lets everybody in; of an issuer without a list, or with an expired one, it lets
nobody in.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----\n?", re.DOTALL)


class RevocationList(Struct, frozen=True):
    """The list of one issuer, as it is in the file.

    Attributes:
        pem: its bytes.
        serials: of the certificates that it revokes.
        number: rises with every list.
        ends_at: aware; from then on the broker refuses everybody of this issuer.
    """

    pem: bytes
    serials: frozenset[int]
    number: int
    ends_at: datetime


def split_lists(data: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The lists in a file, in their order, and what else is in it, without white space: nothing, if it is whole."""
    return tuple(_LIST.findall(data)), _LIST.sub(b"", data).strip()


def list_number(crl: x509.CertificateRevocationList) -> int:
    """Its number.

    Raises:
        ValueError: it has none.
    """
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound as e:
        raise ValueError("the revocation list has no number") from e


def is_list_of(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether the issuer has signed it."""
    key = issuer.public_key()
    return isinstance(key, ec.EllipticCurvePublicKey) and crl.is_signature_valid(key)


def signed_list(
    pem: bytes, crl: x509.CertificateRevocationList, issuer: x509.Certificate | None
) -> RevocationList | None:
    """The list ``crl``, whose bytes are ``pem``; ``None`` = the issuer has not signed it, or it has no end.

    Raises:
        ValueError: it has no number.
    """
    number, ends_at = list_number(crl), crl.next_update_utc
    if ends_at is None or issuer is None or not is_list_of(crl, issuer):
        return None
    return RevocationList(pem, frozenset(entry.serial_number for entry in crl), number, ends_at)
