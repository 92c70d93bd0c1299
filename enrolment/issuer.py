"""The nodes' issuer: checks a PKCS#10 request, and signs a certificate for its key. Its own name alone counts."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from runtime.config import ConfigError
from runtime.issuing import permitted_organisation, sign_certificate, subject_name
from wire.renewal import BACKDATED, CERTIFICATE_LIFE
from wire.subjects import NODES

LIST_LIFE: Final = timedelta(days=30)


class RequestError(ValueError):
    """No certificate request that we sign; one phrase."""


class NodesIssuer:
    """Signs for nodes, and cannot sign for anybody else: its own certificate constrains it.

    Raises:
        ConfigError: not PEM, not P-256, the key is not the certificate's, or the certificate may sign for others.
    """

    def __init__(self, certificate_file: Path, key_file: Path) -> None:
        try:
            self.certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
            key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        except OSError as e:
            raise ConfigError(f"{e.filename}: the issuer of nodes cannot be read: {e.strerror}") from e
        except (ValueError, TypeError, UnsupportedAlgorithm) as e:
            raise ConfigError(f"{certificate_file} and {key_file}: not a PEM certificate and its key") from e
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != self.certificate.public_key():
            raise ConfigError(f"{key_file}: not the key of {certificate_file}")
        if permitted_organisation(self.certificate) != NODES:
            # The town's root, or its first CA, could make a central. It must not be on a machine with a network.
            raise ConfigError(f"{certificate_file}: may sign for others than nodes, so it must not be here")
        self._key = key

    def sign(
        self,
        request: x509.CertificateSigningRequest,
        common_name: str,
        now: datetime,
        life: timedelta = CERTIFICATE_LIFE,
        *,
        is_for_proof: bool = False,
    ) -> x509.Certificate:
        """A certificate for the request's key, in this name, for a client, for ``life``.

        Nothing else of the request is looked at: not its subject, not its extensions. ``is_for_proof`` if it is made to
        look at the broker with.
        """
        return sign_certificate(
            self.certificate,
            self._key,
            _key_of(request),
            subject=subject_name(common_name, NODES),
            purpose=ExtendedKeyUsageOID.CLIENT_AUTH,
            begins_at=now,
            life=life,
            is_for_proof=is_for_proof,
        )

    def revoke(self, serials: AbstractSet[int], number: int, now: datetime) -> bytes:
        """A revocation list of these, PEM, for 30 days, with that number."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - BACKDATED)
            .next_update(now + LIST_LIFE)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for serial in sorted(serials):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def chain_pem(self, certificate: x509.Certificate) -> str:
        """The certificate, then the issuer's."""
        both = (certificate, self.certificate)
        return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in both)


def read_request(der: bytes) -> x509.CertificateSigningRequest:
    """A request that is signed with its own key.

    Raises:
        RequestError: not PKCS#10, not P-256, or not signed by its own key.
    """
    try:
        request = x509.load_der_x509_csr(der)
        _key_of(request)
        is_signed = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, TypeError) as e:
        raise RequestError("not a certificate request for P-256") from e
    if not is_signed:
        raise RequestError("a certificate request that is not signed by its own key")
    return request


def public_key_bytes(of: x509.CertificateSigningRequest | x509.Certificate) -> bytes:
    """The key of a request, or of a certificate, which names it among others."""
    return _key_of(of).public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key_of(of: x509.CertificateSigningRequest | x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = of.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RequestError("a certificate request for another kind of key than P-256")
    return key
