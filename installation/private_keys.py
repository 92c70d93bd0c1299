"""Which private keys the fleet may hand over: those of broker, central, publisher and enrolment service, and no other.

The last one's issuer can sign for nodes alone, and may stand in its own place only. Known by what they are for, not by
what they are not: of an issuer that was cut off or replaced nothing else in a pack tells, and its key is worth as much
to a thief as any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from installation.errors import PackError
from installation.revocation import is_authority
from runtime.issuing import permitted_organisation
from wire.directory import Directory
from wire.ids import CENTRAL
from wire.signing import KEY_BYTES, PublicKey, SigningKey
from wire.subjects import NODES

OF_CERTIFICATES: Final = (
    "broker/server",
    "central/client",
    "central/alerts",
    "office/publisher/server",
    "enrolment/server",
)
"""``NAME.key`` is the key of ``NAME.pem``."""
NODES_ISSUER: Final = "enrolment/nodes"
"""Likewise: the one CA whose key may be on a machine with a network (ADR 0029)."""
SIGNING: Final = "central/signing.key"
SNAPSHOTS: Final = "office/publisher/snapshot.key"
"""Of an office that runs out of the fleet folder. The fleet may not trust it yet, so that it cannot be known."""


def check_keys(files: Mapping[str, bytes], directory: Directory, authority: PublicKey) -> None:
    """Want of every private key that it belongs here.

    Raises:
        PackError: one does not, under whatever name.
        ValueError: one cannot be read.
    """
    issuers = {
        public_part(certificate.public_key())
        for name, data in files.items()
        if name.endswith(".pem") and b"BEGIN CERTIFICATE" in data
        for certificate in x509.load_pem_x509_certificates(data)
        if is_authority(certificate)
    }
    for name, data in files.items():
        if b"PRIVATE KEY" in data:
            key = serialization.load_pem_private_key(data, password=None)
            if name == f"{NODES_ISSUER}.key" and _signs_for_nodes_alone(files, public_part(key.public_key())):
                continue
            if public_part(key.public_key()) in issuers:
                raise _own_secret(name)
            if name not in {f"{one}.key" for one in OF_CERTIFICATES}:
                raise _unknown(name)
        elif name.endswith(".key"):
            _check_seed(name, data, directory, authority)


def _signs_for_nodes_alone(files: Mapping[str, bytes], public: bytes) -> bool:
    certificate = x509.load_pem_x509_certificate(files.get(f"{NODES_ISSUER}.pem", b""))
    return permitted_organisation(certificate) == NODES and public_part(certificate.public_key()) == public


def public_part(key: object) -> bytes:
    """A key, to be compared."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def _check_seed(name: str, data: bytes, directory: Directory, authority: PublicKey) -> None:
    seed = bytes.fromhex(data.decode("ascii").strip())
    if len(seed) != KEY_BYTES:
        raise _unknown(name)
    public = SigningKey(seed).public
    if public == authority:
        raise _own_secret(name)
    central = directory.senders.get(CENTRAL)
    if name == SIGNING and central is not None and public != central.key:
        raise PackError(f"{name} is not the key that the directory gives central.")
    if name not in {SIGNING, SNAPSHOTS}:
        raise _unknown(name)


def _own_secret(name: str) -> PackError:
    return PackError(
        f"{name} is the town's own secret, with which anyone can make nodes. It must not be on this machine:"
        " keep it offline, and make the pack with 'watchlink fleet pack'."
    )


def _unknown(name: str) -> PackError:
    return PackError(
        f"{name} is a private key that neither broker nor central, publisher nor enrolment service uses: a retired"
        " issuer's, it may be. It must not be on this machine: keep it offline. If it belongs here, a newer Watchlink"
        " knows: update the programs first."
    )
