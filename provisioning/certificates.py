"""The private CA: certificates and revocation lists, as bytes. Reads and writes no files.

P-256 throughout, so that a hardware key may take over later. Every certificate and list is backdated by a
day, because a Raspberry Pi has no clock of its own. OpenSSL's strict checks (the default since Python 3.13) want
``keyUsage`` and ``subjectKeyIdentifier`` on the CA and ``authorityKeyIdentifier`` on what it signs (RFC 5280, 4.2.1).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
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

BACKDATED: Final = timedelta(hours=24)
AUTHORITY_LIFE: Final = timedelta(days=3650)
CERTIFICATE_LIFE: Final = timedelta(days=90)
CRL_LIFE: Final = timedelta(days=30)

_HASH: Final = hashes.SHA256()


class IssuedCertificate(Struct, frozen=True):
    """A certificate and its key, both PEM, and the serial for a revocation list."""

    certificate_pem: bytes
    key_pem: bytes
    serial: int
    expires_at: datetime


class CertificateAuthority(Struct, frozen=True):
    """The CA's certificate and key, parsed once for all signatures."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    _key_identifier: x509.AuthorityKeyIdentifier

    @classmethod
    def create(cls, name: str, now: datetime) -> CertificateAuthority:
        """A new CA called ``name``, valid for ten years from ``now`` (aware)."""
        return cls.signed_by_itself(name, now, {})

    @classmethod
    def signed_by_itself(
        cls, name: str, now: datetime, more: Mapping[x509.ExtensionType, bool]
    ) -> CertificateAuthority:
        """As :meth:`create`, with further extensions: each with whether it is critical."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(is_authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        for extension, is_critical in more.items():
            builder = builder.add_extension(extension, critical=is_critical)
        return cls._of(builder.sign(key, _HASH), key)

    @classmethod
    def load(cls, certificate_pem: bytes, key_pem: bytes) -> CertificateAuthority:
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
        return cls._of(certificate, key)

    @classmethod
    def _of(cls, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> CertificateAuthority:
        return cls(certificate, key, x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()))

    @property
    def certificate_pem(self) -> bytes:
        """The certificate that every program trusts."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

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
) -> IssuedCertificate:
    """A client certificate for ``common_name`` (a node id's text); takes well under a millisecond.

    Args:
        ca: the signer.
        common_name: becomes the user name and the client id at the broker.
        now: start of its life (it is backdated by a day); ``None`` = the system's clock.
        life: time from ``now`` to expiry.
    """
    return _issue(ca, common_name, ExtendedKeyUsageOID.CLIENT_AUTH, now=now, life=life)


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


def check_crl(data: bytes, ca: CertificateAuthority, revoked: AbstractSet[int], now: datetime) -> None:
    """Check that a list is fit for a broker, which with a bad one lets in everyone, or nobody.

    Raises:
        CrlError: not a list, not signed by ``ca``, not in force at ``now``, or a serial of ``revoked`` missing.
    """
    try:
        crl = x509.load_pem_x509_crl(data)
    except ValueError as e:
        raise CrlError(f"The revocation list cannot be read back: {e}") from e
    if not crl.is_signature_valid(ca.key.public_key()):
        raise CrlError("The revocation list is not signed by this fleet's CA.")
    expires_at = crl.next_update_utc
    if expires_at is None or not crl.last_update_utc <= now < expires_at:
        raise CrlError("The revocation list is not in force now: a broker would refuse everyone.")
    missing = [serial for serial in revoked if crl.get_revoked_certificate_by_serial_number(serial) is None]
    if missing:
        raise CrlError(f"The revocation list lacks {len(missing)} revoked certificates, such as {missing[0]:x}.")


def crl_expiry(data: bytes) -> datetime:
    """When the list expires; from then on a broker refuses everyone.

    Raises:
        CrlError: not a list.
    """
    try:
        expires_at = x509.load_pem_x509_crl(data).next_update_utc
    except ValueError as e:
        raise CrlError(f"The revocation list cannot be read: {e}") from e
    if expires_at is None:
        raise CrlError("The revocation list has no end date.")
    return expires_at


def _issue(
    ca: CertificateAuthority,
    common_name: str,
    purpose: x509.ObjectIdentifier,
    *,
    now: datetime | None,
    life: timedelta,
    hosts: Iterable[str] = (),
) -> IssuedCertificate:
    begins_at = datetime.now(UTC) if now is None else now
    # A certificate has whole seconds, and the fleet's record must match it.
    expires_at = (begins_at + life).replace(microsecond=0)
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begins_at - BACKDATED)
        .not_valid_after(expires_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(ca._key_identifier, critical=False)  # noqa: SLF001 - its own module
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    alternatives = [_general_name(host) for host in hosts]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate = builder.sign(ca.key, _HASH)
    return IssuedCertificate(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key), serial, expires_at)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
