"""Certificates that an issuer's thief would make: any subject, whatever its constraints say."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from provisioning.certificates import CertificateAuthority, IssuedCertificate

ORGANISATION: Final = "2.5.4.10"
NAME: Final = "2.5.4.3"


def signed(
    issuer: CertificateAuthority, subject: Sequence[tuple[str, str]], *, server_of: str = "", is_one: bool = False
) -> IssuedCertificate:
    """A certificate for an hour, for a client or for a server at that address.

    Args:
        issuer: with its key.
        subject: types and values, in the order in which the certificate has them.
        server_of: an IP address; empty = for a client.
        is_one: the subject is one part with several values.
    """
    attributes = [x509.NameAttribute(x509.ObjectIdentifier(oid), text) for oid, text in subject]
    parts = [x509.RelativeDistinguishedName(attributes)] if is_one else attributes
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server_of else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    if server_of:
        name = x509.IPAddress(ipaddress.ip_address(server_of))
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM) + issuer.chain_pem
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return IssuedCertificate(pem, own, certificate.serial_number, certificate.not_valid_after_utc)
