"""The broker's revocation lists, one for each issuer in one file, with a new one of the nodes' issuer (ADR 0031).

A broker that reloads a damaged file lets everybody in; of an issuer without a list, or with an expired one, it lets
nobody in. So a file is judged whole, before it is written and after. Pure: no clock, no disk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----\n?", re.DOTALL)


class ListError(ValueError):
    """A file of lists that a broker must not be told to read; one sentence without a full stop."""


class Held(Struct, frozen=True):
    """The list of one issuer, as it is in the file.

    Attributes:
        pem: its bytes.
        serials: the certificates that it revokes.
        number: rises with every list.
        ends_at: aware; from then on the broker refuses everybody of this issuer.
    """

    pem: bytes
    serials: frozenset[int]
    number: int
    ends_at: datetime


def read_lists(data: bytes, issuers: Sequence[x509.Certificate]) -> dict[x509.Name, Held]:
    """Each issuer's list, by the issuer's name, in the file's order.

    Raises:
        ListError: damaged, or not exactly one list of each issuer, signed by it.
    """
    pems = _LIST.findall(data)
    if not pems or _LIST.sub(b"", data).strip():
        raise ListError("the file of revocation lists is damaged: a broker that reloads it lets everybody in")
    by_name = {issuer.subject: issuer for issuer in issuers}
    found: dict[x509.Name, Held] = {}
    for pem in pems:
        try:
            one = x509.load_pem_x509_crl(pem)
            number = one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        except (ValueError, x509.ExtensionNotFound) as e:
            raise ListError("a revocation list is damaged: a broker that reloads it lets everybody in") from e
        issuer, ends_at = by_name.get(one.issuer), one.next_update_utc
        key = issuer.public_key() if issuer is not None else None
        is_signed = isinstance(key, ec.EllipticCurvePublicKey) and one.is_signature_valid(key)
        if not is_signed or ends_at is None or one.issuer in found:
            raise ListError("a revocation list is of no issuer of this fleet, or there twice")
        found[one.issuer] = Held(pem, frozenset(entry.serial_number for entry in one), number, ends_at)
    missing = [name for name in by_name if name not in found]
    if missing:
        raise ListError(f"the list of {missing[0].rfc4514_string()} is missing")
    return found


def own_list(data: bytes, issuer: x509.Certificate) -> Held | None:
    """This issuer's list in a file that may also hold lists of others; ``None`` = there is none that it has signed.

    Raises:
        ListError: damaged.
    """
    for pem in _LIST.findall(data):
        try:
            one = x509.load_pem_x509_crl(pem)
        except ValueError as e:
            raise ListError("a revocation list is damaged") from e
        if one.issuer == issuer.subject:
            return read_lists(pem, [issuer])[issuer.subject]
    return None


def with_list(lists: dict[x509.Name, Held], issuer: x509.Name, pem: bytes) -> bytes:
    """The file with this issuer's list replaced by ``pem``, the others as they are."""
    return b"".join(pem if name == issuer else held.pem for name, held in lists.items())


def check_lists(
    data: bytes, issuers: Sequence[x509.Certificate], revoked: AbstractSet[int], issuer: x509.Name, now: datetime
) -> None:
    """Check that the file is fit for a broker, and that this issuer's list revokes these serials at least.

    Raises:
        ListError: it is not.
    """
    held = read_lists(data, issuers)[issuer]
    if held.ends_at <= now:
        raise ListError("the new revocation list has ended already: a broker would refuse everybody")
    if not revoked <= held.serials:
        raise ListError("the new revocation list lacks a revoked certificate")
