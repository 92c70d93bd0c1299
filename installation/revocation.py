"""Who has signed whom, and the broker's revocation lists: one file, with a list for each issuer (ADR 0029).

A broker that reloads a damaged file lets everybody in; of an issuer without a list, or with an expired one, it lets
nobody in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from installation.errors import InstallError
from runtime.revocation_list import RevocationList, is_list_of, list_number, signed_list, split_lists


def crl_number_of(data: bytes) -> int:
    """Of a file of lists: the lowest.

    Raises:
        ValueError: not lists with a number.
    """
    return min(map(list_number, _lists(data)))


def lists_end_at(data: bytes, issuers: Sequence[x509.Certificate]) -> datetime:
    """When the first of these issuers' lists expires. A list of somebody else does no harm.

    Raises:
        ValueError: the file is damaged.
        InstallError: an issuer has no list; the message is the end of a sentence.
    """
    lists, ends = _lists(data), []
    for issuer in issuers:
        own = [one for one in lists if is_list_of(one, issuer)]
        if not own or own[0].next_update_utc is None:
            name = " ".join(str(one.value) for one in issuer.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME))
            raise InstallError(f"has no list of the CA {name}: the broker refuses all of it")
        ends.append(own[0].next_update_utc)
    return min(ends)


def lists_begin_at(data: bytes, issuers: Sequence[x509.Certificate]) -> datetime:
    """From when on all of these issuers' lists are valid; before that the broker refuses everybody of one of them.

    Raises:
        ValueError: the file is damaged, or none of them has a list.
    """
    return max(one.last_update_utc for one in _lists(data) if any(is_list_of(one, issuer) for issuer in issuers))


def list_of(data: bytes, issuer: x509.Certificate) -> RevocationList | None:
    """The issuer's own list in the file; ``None`` = there is none, or the file is damaged."""
    for pem in split_lists(data)[0]:
        try:
            found = signed_list(pem, x509.load_pem_x509_crl(pem), issuer)
        except ValueError:
            return None
        if found is not None:
            return found
    return None


def other_lists(data: bytes, issuer: x509.Certificate) -> tuple[bytes, ...]:
    """All but the issuer's; what is no list counts as one, so that it is noticed."""
    own = list_of(data, issuer)
    lists, rest = split_lists(data)
    found = (pem.strip() for pem in lists if own is None or pem != own.pem)
    return (*found, *([rest] if rest else []))


def with_list(data: bytes, old: RevocationList, new: RevocationList) -> bytes:
    """The file with another list in the place of one that is in it."""
    return data.replace(old.pem, new.pem)


def _lists(data: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    lists, rest = split_lists(data)
    if not lists or rest:
        raise ValueError("the revocation list is damaged")
    return tuple(map(x509.load_pem_x509_crl, lists))


def is_below(certificates: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> bool:
    """Whether a root has signed the first of the certificates, itself or by way of one of the others."""
    own, *between = certificates
    uppers = [one for one in between if _is_issued_by(one, roots)]
    return _is_issued_by(own, [*roots, *uppers])


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether its key signs certificates."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_issued_by(certificate: x509.Certificate, issuers: Sequence[x509.Certificate]) -> bool:
    for issuer in issuers:
        try:
            certificate.verify_directly_issued_by(issuer)
        except Exception:  # noqa: BLE001, S112 - the library raises four kinds, all of which say no
            continue
        return True
    return False
