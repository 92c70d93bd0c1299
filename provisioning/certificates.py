"""Root, issuers and what they sign: certificates and revocation lists, as bytes. Reads and writes no files.

The root signs issuers alone. An issuer signs for one organisation (RFC 5280, 4.2.1.10), and the nodes' signs clients
alone: whoever steals it can neither be central nor play the broker. P-256 throughout, so that a hardware key may take
over later. Every certificate and list is backdated by a day, because a Raspberry Pi has no clock of its own. OpenSSL's
strict checks (the default since Python 3.13) want ``keyUsage`` and ``subjectKeyIdentifier`` on the CA and
``authorityKeyIdentifier`` on what it signs (RFC 5280, 4.2.1).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from provisioning.errors import CrlError, FleetDamagedError
from runtime.issuing import (
    key_usage,
    permitted_organisation,
    sign_certificate,
    subject_name,
)
from runtime.revocation_list import split_lists
from wire.renewal import BACKDATED, CERTIFICATE_LIFE
from wire.subjects import NODES

AUTHORITY_LIFE: Final = timedelta(days=3650)
CRL_LIFE: Final = timedelta(days=30)

_HASH: Final = hashes.SHA256()


class IssuedCertificate(Struct, frozen=True):
    """A certificate and its key, both PEM, and what the fleet's record needs.

    Attributes:
        certificate_pem: the certificate, then its issuer's, if that is below a root.
        key_pem: its key.
        serial: for a revocation list.
        expires_at: aware.
        issuer: the signer's name in the fleet's record.
    """

    certificate_pem: bytes
    key_pem: bytes
    serial: int
    expires_at: datetime
    issuer: str = ""


class CertificateAuthority(Struct, frozen=True):
    """A CA's certificate and key, parsed once for all signatures.

    Attributes:
        certificate: its own.
        key: its key.
        name: as the fleet's record calls it; empty = not of a fleet.
        organisation: for which alone it signs; empty = any.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    name: str
    organisation: str
    _key_identifier: x509.AuthorityKeyIdentifier

    @classmethod
    def create(cls, name: str, now: datetime) -> CertificateAuthority:
        """A new CA called ``name``, valid for ten years from ``now`` (aware), which signs certificates itself."""
        return cls.signed_by_itself(name, now, {})

    @classmethod
    def create_root(cls, name: str, now: datetime) -> CertificateAuthority:
        """A new root called ``name``, valid for ten years from ``now`` (aware), which signs issuers."""
        return cls.signed_by_itself(name, now, {}, path_length=1)

    @classmethod
    def signed_by_itself(
        cls, name: str, now: datetime, more: Mapping[x509.ExtensionType, bool], path_length: int = 0
    ) -> CertificateAuthority:
        """As :meth:`create`, with further extensions: each with whether it is critical."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = subject_name(name)
        builder = _authority(subject, key, path_length, more).issuer_name(subject)
        builder = builder.not_valid_before(now - BACKDATED).not_valid_after(now + AUTHORITY_LIFE)
        return cls._of(builder.sign(key, _HASH), key)

    def create_issuer(self, organisation: str, name: str, now: datetime) -> CertificateAuthority:
        """A new issuer below this root, for one organisation, valid as long as the root.

        Args:
            organisation: in the subject of all that it signs.
            name: in the fleet's record.
            now: start of its life (aware); it is backdated by a day, but not beyond the root.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        more: dict[x509.ExtensionType, bool] = {_constraints(organisation): True, self._key_identifier: False}
        if organisation == NODES:
            more[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])] = False
        root = self.certificate
        builder = _authority(subject_name(f"Watchlink {name}", organisation), key, 0, more)
        builder = builder.issuer_name(root.subject).not_valid_after(root.not_valid_after_utc)
        builder = builder.not_valid_before(max(now - BACKDATED, root.not_valid_before_utc))
        return CertificateAuthority._of(builder.sign(self.key, _HASH), key, name)

    def create_intermediate(
        self, name: str, more: Mapping[x509.ExtensionType, bool], now: datetime, life: timedelta
    ) -> CertificateAuthority:
        """A new CA below this one, with further extensions: each with whether it is critical. It signs no other.

        Args:
            name: for people.
            more: as :meth:`signed_by_itself` takes it.
            now: start of its life (aware); it is backdated by a day, but not beyond this one.
            life: from then to its end.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        own = self.certificate
        builder = _authority(subject_name(name), key, 0, {**more, self._key_identifier: False})
        builder = builder.issuer_name(own.subject).not_valid_after((now + life).replace(microsecond=0))
        builder = builder.not_valid_before(max(now - BACKDATED, own.not_valid_before_utc))
        return CertificateAuthority._of(builder.sign(self.key, _HASH), key, name)

    @classmethod
    def load(cls, certificate_pem: bytes, key_pem: bytes, name: str = "") -> CertificateAuthority:
        """Read a CA back.

        Raises:
            FleetDamagedError: not PEM, not P-256, or the key is not the certificate's.
        """
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem)
            key = serialization.load_pem_private_key(key_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as e:
            raise FleetDamagedError(f"The CA's certificate or key cannot be read: {e}") from e
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise FleetDamagedError("The CA's key does not belong to its certificate.")
        return cls._of(certificate, key, name)

    @classmethod
    def _of(
        cls, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, name: str = ""
    ) -> CertificateAuthority:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        return cls(certificate, key, name, permitted_organisation(certificate), identifier)

    @property
    def certificate_pem(self) -> bytes:
        """Its certificate; a root's is what every program trusts."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        """What follows a certificate that it signs, up to the root, which whoever verifies has."""
        return b"" if self.certificate.issuer == self.certificate.subject else self.certificate_pem

    @property
    def key_pem(self) -> bytes:
        """The secret that everything depends on."""
        return _key_pem(self.key)


def issue_client_certificate(
    ca: CertificateAuthority,
    common_name: str,
    *,
    now: datetime | None = None,
    life: timedelta = CERTIFICATE_LIFE,
    is_for_proof: bool = False,
) -> IssuedCertificate:
    """A client certificate for ``common_name`` (a node id's text); takes well under a millisecond.

    Args:
        ca: the signer.
        common_name: with the issuer's organisation its subject, which the broker takes as user name and client id.
        now: start of its life (it is backdated by a day); ``None`` = the system's clock.
        life: time from ``now`` to expiry.
        is_for_proof: it is made to look at a broker with; its serial says when it ends.
    """
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH
    return _issue(ca, common_name, purpose, now=now, life=life, is_for_proof=is_for_proof)


def issue_server_certificate(
    ca: CertificateAuthority,
    hosts: Iterable[str],
    *,
    now: datetime | None = None,
    life: timedelta = CERTIFICATE_LIFE,
    common_name: str = "",
) -> IssuedCertificate:
    """A server's certificate, valid for each of ``hosts`` (names or IP addresses), and not for a client.

    ``common_name`` is for people; empty = the first host.
    """
    names = list(dict.fromkeys(hosts))
    return _issue(ca, common_name or names[0][:64], ExtendedKeyUsageOID.SERVER_AUTH, now=now, life=life, hosts=names)


def issue_crl(
    ca: CertificateAuthority, revoked: AbstractSet[int], number: int, *, now: datetime, life: timedelta = CRL_LIFE
) -> bytes:
    """A revocation list in PEM naming the serials ``revoked``; ``number`` rises with every list."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(now - BACKDATED)
        .next_update(now + life)
        .add_extension(ca._key_identifier, critical=False)  # noqa: SLF001 - its own module
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial in sorted(revoked):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(ca.key, _HASH).public_bytes(serialization.Encoding.PEM)


def check_crl(data: bytes, issuer: x509.Certificate, revoked: AbstractSet[int], now: datetime) -> None:
    """Check that a list is fit for a broker, which with a bad one lets in everyone, or nobody.

    Raises:
        CrlError: not a list, not signed by ``issuer``, not in force at ``now``, or a serial of ``revoked`` missing.
    """
    try:
        crl = x509.load_pem_x509_crl(data)
    except ValueError as e:
        raise CrlError(f"The revocation list cannot be read back: {e}") from e
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not crl.is_signature_valid(key):
        raise CrlError("The revocation list is not signed by this fleet's issuer.")
    expires_at = crl.next_update_utc
    if expires_at is None or not crl.last_update_utc <= now < expires_at:
        raise CrlError("The revocation list is not in force now: a broker would refuse everyone.")
    missing = [serial for serial in revoked if crl.get_revoked_certificate_by_serial_number(serial) is None]
    if missing:
        raise CrlError(f"The revocation list lacks {len(missing)} revoked certificates, such as {missing[0]:x}.")


def check_lists(data: bytes, wanted: Sequence[tuple[x509.Certificate, AbstractSet[int]]], now: datetime) -> None:
    """Check a file with a list for each issuer: each is there once and fit, as :func:`check_crl` says, and no other.

    A broker refuses all certificates of an issuer without a list. With a damaged list it obeys none of the others.

    Args:
        data: the file.
        wanted: the issuers, each with serials that its list must name.
        now: aware.

    Raises:
        CrlError: a list is missing or unfit, or there is something else.
    """
    lists = whole_lists(data)
    if len(lists) != len(wanted):
        raise CrlError(f"There are {len(lists)} revocation lists for {len(wanted)} issuers.")
    by_issuer = {x509.load_pem_x509_crl(one).issuer: one for one in lists}
    for issuer, revoked in wanted:
        if issuer.subject not in by_issuer:
            raise CrlError(f"The revocation list of {issuer.subject.rfc4514_string()} is missing.")
        check_crl(by_issuer[issuer.subject], issuer, revoked, now)


def whole_lists(data: bytes) -> tuple[bytes, ...]:
    """The lists of a file, each PEM.

    Raises:
        CrlError: one cannot be read, or there is something else.
    """
    lists, rest = split_lists(data)
    if rest:
        raise CrlError("The revocation list cannot be read back: there is more in its file.")
    for one in lists:
        try:
            x509.load_pem_x509_crl(one)
        except ValueError as e:
            raise CrlError(f"The revocation list cannot be read back: {e}") from e
    return lists


def crl_expiry(data: bytes) -> datetime:
    """When the first of a file's lists expires; from then on a broker refuses everyone of its issuer.

    Raises:
        CrlError: no list, or an unreadable one.
    """
    ends = [x509.load_pem_x509_crl(one).next_update_utc for one in whole_lists(data)]
    known = [end for end in ends if end is not None]
    if not known or len(known) != len(ends):
        raise CrlError("The revocation list has no end date.")
    return min(known)


def _issue(
    ca: CertificateAuthority,
    common_name: str,
    purpose: x509.ObjectIdentifier,
    *,
    now: datetime | None,
    life: timedelta,
    hosts: Iterable[str] = (),
    is_for_proof: bool = False,
) -> IssuedCertificate:
    begins_at = datetime.now(UTC) if now is None else now
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = sign_certificate(
        ca.certificate,
        ca.key,
        key.public_key(),
        subject=subject_name(common_name, ca.organisation),
        purpose=purpose,
        begins_at=begins_at,
        life=life,
        hosts=hosts,
        is_for_proof=is_for_proof,
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + ca.chain_pem
    return IssuedCertificate(pem, _key_pem(key), certificate.serial_number, certificate.not_valid_after_utc, ca.name)


def _authority(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, path_length: int, more: Mapping[x509.ExtensionType, bool]
) -> x509.CertificateBuilder:
    """A CA's certificate without its issuer and dates."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension, is_critical in more.items():
        builder = builder.add_extension(extension, critical=is_critical)
    return builder


def _constraints(organisation: str) -> x509.NameConstraints:
    """Subjects of one organisation; for nodes no name and no address of a server."""
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])
    nowhere: list[x509.GeneralName] = [
        x509.DNSName(""),
        x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")),
        x509.IPAddress(ipaddress.ip_network("::/0")),
    ]
    return x509.NameConstraints([x509.DirectoryName(subject)], nowhere if organisation == NODES else None)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
