"""Signs certificates for a key that somebody else may have made. Reads and writes no files.

Backdated by a day, because a Raspberry Pi has no clock of its own. OpenSSL's strict checks (the default since Python
3.13) want ``authorityKeyIdentifier`` (RFC 5280, 4.2.1).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime.proof_serials import proof_serial
from wire.renewal import BACKDATED, CERTIFICATE_LIFE


def sign_certificate(
    issuer: x509.Certificate,
    issuer_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    *,
    subject: x509.Name,
    purpose: x509.ObjectIdentifier,
    begins_at: datetime,
    life: timedelta = CERTIFICATE_LIFE,
    hosts: Iterable[str] = (),
    is_for_proof: bool = False,
) -> x509.Certificate:
    """A certificate that is no CA's; takes well under a millisecond.

    Args:
        issuer: the signer's certificate.
        issuer_key: the signer's key.
        key: the owner's.
        subject: the owner's name, as :func:`subject_name` gives it.
        purpose: its one extended key usage.
        begins_at: start of its life (aware); it is backdated by a day.
        life: from then to expiry.
        hosts: names and addresses that a server has.
        is_for_proof: it is made to look at a broker with; its serial says when it ends.
    """
    # A certificate has whole seconds, and records must match it.
    ends_at = (begins_at + life).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(key)
        .serial_number(proof_serial(ends_at) if is_for_proof else x509.random_serial_number())
        .not_valid_before(begins_at - BACKDATED)
        .not_valid_after(ends_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    alternatives = [_general_name(host) for host in hosts]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def subject_name(common_name: str, organisation: str = "") -> x509.Name:
    """A subject. The organisation comes first: a constraint holds for whatever begins like it."""
    names = [(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in [*names, (NameOID.COMMON_NAME, common_name)]])


def permitted_organisation(certificate: x509.Certificate) -> str:
    """The one organisation that a CA may sign for, or empty."""
    try:
        permitted = certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return ""
    names = [one.value for one in permitted or () if isinstance(one, x509.DirectoryName)]
    attributes = [one for name in names for one in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return str(attributes[0].value) if attributes else ""


def key_usage(*, is_authority: bool) -> x509.KeyUsage:
    """Of a CA, or of whoever it signs."""
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


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
