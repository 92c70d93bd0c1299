"""Signs certificates of units' pages, as the intermediate of the town's web CA that the fleet gave to this machine.

It is constrained to names that end with ``.local`` and to private addresses, less those for which the fleet had made
certificates of central's and the office's pages when it made the issuer (ADR 0038): whoever breaks into this program
can play pages of shops, and at no such name or address central's or the office's, nor any site on the internet.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from runtime.config import ConfigError
from runtime.issuing import sign_certificate, subject_name
from wire.ids import NodeId, node_text
from wire.page_certificate import LIFE, Address, PageCertificate

_LEFT_MIN: Final = timedelta(days=1)
_FAULTS: Final = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises of a request that is none, or unlike ours."""


class RequestError(ValueError):
    """It is no request that can be signed; one phrase."""


class EndedError(Exception):
    """The issuer has ended: the fleet must give another."""


class PageRequest(Struct, frozen=True):
    """What a unit asks for. Nothing else of its request is signed.

    Attributes:
        key: the page's, P-256.
        names, addresses: of its subject alternative name.
    """

    key: ec.EllipticCurvePublicKey
    names: tuple[str, ...]
    addresses: tuple[Address, ...]


def read_request(data: bytes) -> PageRequest:
    """A PKCS #10 request in DER, signed by its own key.

    Raises:
        RequestError: malformed, signed by another key, of another kind of key, or with other kinds of names.
    """
    try:
        request = x509.load_der_x509_csr(data)
        key, is_own = request.public_key(), request.is_signature_valid
        found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except _FAULTS as e:
        raise RequestError(str(e)) from e
    if not is_own:
        raise RequestError("not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RequestError("not a P-256 key")
    names = tuple(one.value for one in found if isinstance(one, x509.DNSName))
    addresses = tuple(
        one.value
        for one in found
        if isinstance(one, x509.IPAddress) and isinstance(one.value, ipaddress.IPv4Address | ipaddress.IPv6Address)
    )
    if len(names) + len(addresses) != len(list(found)):
        raise RequestError("a name of another kind")
    return PageRequest(key, names, addresses)


class PageIssuer:
    """For any thread.

    Args:
        certificate_file, key_file: the intermediate's; PEM.
        root_file: the web CA; PEM.

    Raises:
        ConfigError: one cannot be used, or they do not belong together.
    """

    def __init__(self, certificate_file: Path, key_file: Path, root_file: Path) -> None:
        try:
            self._pem, root_pem = certificate_file.read_bytes(), root_file.read_bytes()
            self._own = x509.load_pem_x509_certificate(self._pem)
            root = x509.load_pem_x509_certificate(root_pem)
            key = load_pem_private_key(key_file.read_bytes(), password=None)
            self._own.verify_directly_issued_by(root)
            self._root = root_pem.decode("ascii")
        except OSError as e:
            raise ConfigError(f"{e.filename}: the pages' issuer cannot be read: {e.strerror}") from e
        except (ValueError, TypeError, UnsupportedAlgorithm) as e:
            raise ConfigError(f"{certificate_file}: not an issuer of pages with its key and the web CA: {e}") from e
        except InvalidSignature as e:
            raise ConfigError(f"{certificate_file}: the web CA in {root_file} has not signed it") from e
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != self._own.public_key():
            raise ConfigError(f"{key_file}: not the key of {certificate_file}")
        self._key = key
        self._excluded = tuple(_excluded(self._own))

    @property
    def excluded(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Addresses for which it cannot speak, though they are private: what it signed for them, browsers refuse."""
        return self._excluded

    @property
    def ends_at(self) -> datetime:
        """From then on it signs nothing."""
        return self._own.not_valid_after_utc

    def sign(self, node: NodeId, request: PageRequest, now: datetime | None = None) -> tuple[PageCertificate, int]:
        """The certificate and its serial. Whether the names may be signed is the caller's question.

        Args:
            node: whose page.
            request: as it was asked for.
            now: aware; ``None`` = the system's clock.

        Raises:
            EndedError: the issuer is about to end.
        """
        now = datetime.now(UTC) if now is None else now
        life = min(LIFE, self.ends_at - now)
        if life < _LEFT_MIN:
            raise EndedError
        # The name for people has spaces, so that no verifier takes it for a host's and applies the constraint.
        signed = sign_certificate(
            self._own,
            self._key,
            request.key,
            subject=subject_name(f"Watchlink page of {node_text(node)}"),
            purpose=ExtendedKeyUsageOID.SERVER_AUTH,
            begins_at=now,
            life=life,
            hosts=(*request.names, *map(str, request.addresses)),
        )
        chain = signed.public_bytes(Encoding.PEM) + self._pem
        return PageCertificate(chain=chain.decode("ascii"), root=self._root), signed.serial_number


def _excluded(issuer: x509.Certificate) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return
    for one in constraints.excluded_subtrees or ():
        if isinstance(one, x509.IPAddress) and isinstance(one.value, ipaddress.IPv4Network | ipaddress.IPv6Network):
            yield one.value
