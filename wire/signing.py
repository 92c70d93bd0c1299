"""Ed25519 (RFC 8032) with a domain for each use, so that no signature made for one thing passes for another."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire.errors import SignatureInvalidError

FRAME_DOMAIN: Final = b"watchlink/1/frame\x00"
DIRECTORY_DOMAIN: Final = b"watchlink/1/directory\x00"
SIGNATURE_BYTES: Final = 64
KEY_BYTES: Final = 32


class SigningKey:
    """A private key. It is built from its 32-byte seed, which the caller read from its own disk."""

    __slots__ = ("_private",)

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> PublicKey:
        """The key that verifies what this one signs."""
        return PublicKey(self._private.public_key().public_bytes_raw())

    def sign(self, domain: bytes, data: bytes) -> bytes:
        """64 bytes over ``domain + data``; deterministic."""
        return self._private.sign(domain + data)


class PublicKey:
    """A public key, 32 raw bytes, parsed once."""

    __slots__ = ("_public", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._public = Ed25519PublicKey.from_public_bytes(raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def verify(self, domain: bytes, data: bytes, signature: bytes) -> None:
        """Accept, or raise.

        Raises:
            SignatureInvalidError: the signature was not made by this key over ``domain + data``.
        """
        try:
            self._public.verify(signature, domain + data)
        except InvalidSignature as e:
            raise SignatureInvalidError("signature") from e
