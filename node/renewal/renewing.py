"""One certificate of this unit, renewed when its moment has come.

Nothing is lost whenever the power goes: the new key is kept until it is used, so the same request can be made again;
and certificate and key are replaced as one (:mod:`runtime.key_pair`). What does not fit is never put in place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from node.config import chain_to_root
from node.renewal.asking import NotRenewedError
from runtime.atomic import PRIVATE, write_atomic
from runtime.key_pair import KeyPair, PairError, check_pair, replace_pair, settle_pair
from wire.enrolment import GALLERY_PREFIX
from wire.renewal import BACKDATED, Life, Tries, next_try_at
from wire.renewal_request import RenewalRequest, seal_renewal
from wire.signing import SigningKey


class Own(Struct, frozen=True, kw_only=True):
    """A certificate of this unit, and what renews it.

    Attributes:
        node: the unit's id.
        is_for_gallery: of the gallery, and not of the node.
        pair: its files.
        ca_file: PEM of the roots that it must lead to.
        signing_key: the node's.
    """

    node: str
    is_for_gallery: bool
    pair: KeyPair
    ca_file: Path
    signing_key: SigningKey

    @property
    def name(self) -> str:
        """The subject's common name."""
        return f"{GALLERY_PREFIX}{self.node}" if self.is_for_gallery else self.node

    @property
    def key_to_come(self) -> Path:
        """Where the new key lies until there is a certificate for it."""
        return self.pair.key_file.with_name(f".{self.pair.key_file.name}.to-come")


def due_at(own: Own, tries: Tries, now: datetime) -> datetime:
    """When to ask for the next one.

    Raises:
        NotRenewedError: its file cannot be read, so nobody knows.
    """
    return next_try_at(life_of(own.pair.certificate_file), own.name, tries, now)


def life_of(certificate_file: Path) -> Life:
    """Of the certificate in a file; its issuers' end earlier, if they do.

    Raises:
        NotRenewedError: it cannot be read.
    """
    try:
        certificates = x509.load_pem_x509_certificates(certificate_file.read_bytes())
    except (OSError, ValueError) as e:
        raise NotRenewedError(f"{certificate_file} cannot be read ({e})") from e
    begins_at = certificates[0].not_valid_before_utc + BACKDATED
    ends_at = min(one.not_valid_after_utc for one in certificates)
    return Life(min(begins_at, ends_at), ends_at)


def renew(own: Own, ask: Callable[[bytes], bytes], now: datetime | None = None) -> datetime:
    """Get a new certificate for a new key, and put both in place. Returns when it ends.

    Args:
        own: which.
        ask: takes a sealed request, returns PEM.
        now: aware; the machine's clock if ``None``.

    Raises:
        NotRenewedError: the old ones are still in place.
        OSError: the disk refuses. Run again, it goes on from there.
    """
    settle_pair(own.pair)
    key = _key_to_come(own)
    request = RenewalRequest(node=own.node, csr=_csr(key, own.name), is_for_gallery=own.is_for_gallery)
    answer = ask(seal_renewal(request, own.signing_key))
    key_pem = _pem(key)
    ends_at = _check(own, answer, key_pem, now or datetime.now(UTC))
    replace_pair(own.pair, answer, key_pem)
    own.key_to_come.unlink(missing_ok=True)
    return ends_at


def _check(own: Own, answer: bytes, key_pem: bytes, now: datetime) -> datetime:
    """When the new certificate ends, if it is as it should be.

    Raises:
        NotRenewedError: it would not let us in, or not for longer than the old one.
    """
    try:
        ours, *between = check_pair(answer, key_pem)
        roots = x509.load_pem_x509_certificates(own.ca_file.read_bytes())
    except (PairError, ValueError, OSError) as e:
        raise NotRenewedError(f"the new certificate cannot be used: {e}") from e
    names = [str(one.value) for one in ours.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    if names != [own.name]:
        raise NotRenewedError(f"the new certificate is for {', '.join(names) or 'nobody'}, not for {own.name}")
    if not chain_to_root(ours, between, roots):
        raise NotRenewedError(
            f"the new certificate is from a CA that {own.ca_file} does not have: carry the new one here"
        )
    if ours.not_valid_before_utc > now:
        # Put in place, it would lock this unit out until then, and it would not ask again before.
        raise NotRenewedError(
            f"the new certificate begins only on {ours.not_valid_before_utc:%d %b %Y}: the clock here or that of the"
            " enrolment service is wrong"
        )
    ends_at = min(one.not_valid_after_utc for one in (ours, *between))
    if _ends_no_later(own, ends_at):
        raise NotRenewedError("the new certificate does not last longer than the old one")
    return ends_at


def _ends_no_later(own: Own, ends_at: datetime) -> bool:
    try:
        return ends_at <= life_of(own.pair.certificate_file).ends_at
    except NotRenewedError:  # Anything is better than a file that cannot be read.
        return False


def _key_to_come(own: Own) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(own.key_to_come.read_bytes(), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    except (OSError, ValueError, TypeError):
        pass  # There is none, or the card has spoilt it: nobody has a certificate for it yet.
    key = ec.generate_private_key(ec.SECP256R1())
    write_atomic(own.key_to_come, _pem(key), PRIVATE)
    return key


def _csr(key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
