"""The broker's revocation lists, one for each issuer in one file, with a new one of the nodes' issuer (ADR 0031).

A broker that reloads a damaged file lets everybody in; of an issuer without a list, or with an expired one, it lets
nobody in. So a file is judged whole, before it is written and after. Pure: no clock, no disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from cryptography import x509

from runtime.revocation_list import RevocationList, signed_list, split_lists


class ListError(ValueError):
    """A file of lists that a broker must not be told to read; one sentence without a full stop."""


def read_lists(data: bytes, issuers: Sequence[x509.Certificate]) -> dict[x509.Name, RevocationList]:
    """Each issuer's list, by the issuer's name, in the file's order.

    Raises:
        ListError: damaged, or not exactly one list of each issuer, signed by it.
    """
    pems, rest = split_lists(data)
    if not pems or rest:
        raise ListError("the file of revocation lists is damaged: a broker that reloads it lets everybody in")
    by_name = {issuer.subject: issuer for issuer in issuers}
    found: dict[x509.Name, RevocationList] = {}
    for pem in pems:
        try:
            one = x509.load_pem_x509_crl(pem)
            held = signed_list(pem, one, by_name.get(one.issuer))
        except ValueError as e:
            raise ListError("a revocation list is damaged: a broker that reloads it lets everybody in") from e
        if held is None or one.issuer in found:
            raise ListError("a revocation list is of no issuer of this fleet, or there twice")
        found[one.issuer] = held
    missing = [name for name in by_name if name not in found]
    if missing:
        raise ListError(f"the list of {missing[0].rfc4514_string()} is missing")
    return found


def own_list(data: bytes, issuer: x509.Certificate) -> RevocationList | None:
    """This issuer's list in a file that may also hold lists of others; ``None`` = there is none that it has signed.

    Raises:
        ListError: damaged.
    """
    for pem in split_lists(data)[0]:
        try:
            one = x509.load_pem_x509_crl(pem)
        except ValueError as e:
            raise ListError("a revocation list is damaged") from e
        if one.issuer == issuer.subject:
            return read_lists(pem, [issuer])[issuer.subject]
    return None


def with_list(lists: dict[x509.Name, RevocationList], issuer: x509.Name, pem: bytes) -> bytes:
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
