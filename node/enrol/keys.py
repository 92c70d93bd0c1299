"""The unit's own keys, made once and kept through power cuts: a claim belongs to the keys that spent it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from runtime.atomic import PRIVATE, write_atomic
from runtime.key_file import read_key
from wire.enrolment import EnrolmentRequest
from wire.seed import Seed
from wire.signing import KEY_BYTES, SigningKey

TLS_KEY: Final = "client.key"
GALLERY_KEY: Final = "gallery.key"
SIGNING_KEY: Final = "signing.key"
SEALING_KEY: Final = "sealing.key"


class UnitKeys(Struct, frozen=True):
    """All private keys of a node: for the broker, for the gallery, of its frames, and for what is sealed to it."""

    tls: ec.EllipticCurvePrivateKey
    gallery: ec.EllipticCurvePrivateKey
    signing: SigningKey
    sealing: X25519PrivateKey

    def request(self, seed: Seed) -> EnrolmentRequest:
        """What to ask the enrolment service."""
        return EnrolmentRequest(
            claim=seed.claim,
            node=seed.node,
            tls_request=_request(self.tls),
            gallery_request=_request(self.gallery),
            signing_key=self.signing.public.raw,
            sealing_key=self.sealing.public_key().public_bytes_raw(),
        )


def keys_in(folder: Path) -> UnitKeys:
    """The keys in ``folder``; those that are missing are made first.

    Raises:
        OSError: the disk refuses.
        ValueError: a key is there but damaged. It is not replaced: it may have spent the claim.
    """
    for name in (TLS_KEY, GALLERY_KEY):
        if not (folder / name).exists():
            write_atomic(folder / name, _pem(ec.generate_private_key(ec.SECP256R1())), PRIVATE)
    for name in (SIGNING_KEY, SEALING_KEY):
        if not (folder / name).exists():
            write_atomic(folder / name, secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n", PRIVATE)
    return UnitKeys(
        _p256(folder / TLS_KEY),
        _p256(folder / GALLERY_KEY),
        SigningKey(read_key(folder / SIGNING_KEY, "signing key")),
        X25519PrivateKey.from_private_bytes(read_key(folder / SEALING_KEY, "sealing key")),
    )


def _p256(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path}: not a P-256 key")  # noqa: TRY004 - the file is wrong, not the caller
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _request(key: ec.EllipticCurvePrivateKey) -> bytes:
    # Without a subject: who this is says the claim.
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
