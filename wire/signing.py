"""Ed25519 (RFC 8032) with a domain for each use, so that a signature for one purpose is valid for no other."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire.errors import DecodeError, SignatureInvalidError

FRAME_DOMAIN: Final = b"watchlink/1/frame\x00"
DIRECTORY_DOMAIN: Final = b"watchlink/1/directory\x00"
DELEGATE_DOMAIN: Final = b"watchlink/1/delegate\x00"
MESSAGE_DOMAIN: Final = b"watchlink/1/message\x00"
SNAPSHOT_DOMAIN: Final = b"watchlink/1/snapshot\x00"
BACKUP_DOMAIN: Final = b"watchlink/1/backup\x00"
ENROLMENT_DOMAIN: Final = b"watchlink/1/enrolment\x00"
RENEWAL_DOMAIN: Final = b"watchlink/1/renewal\x00"
SETTINGS_DOMAIN: Final = b"watchlink/1/settings\x00"
RELEASE_DOMAIN: Final = b"watchlink/1/release\x00"
SIGNATURE_BYTES: Final = 64
SIGNATURE_TEXT_CHARS: Final = 88
"""A signature in base64, as carried in an MQTT user property."""
KEY_BYTES: Final = 32

# y of the points whose order divides 8, little-endian, sign bit clear. With such a "key" anyone can sign anything,
# so its sender could deny every message (RFC 8032 leaves the check to us).
_SMALL_ORDER_Y: Final = frozenset(
    bytes.fromhex(y)
    for y in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


class SigningKey:
    """A private key, from its 32-byte seed.

    Raises:
        ValueError: the seed is not 32 bytes.
    """

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
    """A public key, 32 raw bytes, parsed once.

    Raises:
        DecodeError: ``public key``: not 32 bytes, or a point for which anyone can sign.
    """

    __slots__ = ("_public", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES or raw[:-1] + bytes([raw[-1] & 0x7F]) in _SMALL_ORDER_Y:
            raise DecodeError("public key", detail=f"{len(raw)} bytes")
        self.raw = raw
        self._public = Ed25519PublicKey.from_public_bytes(raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def verify(self, domain: bytes, data: bytes, signature: bytes) -> None:
        """Check the signature.

        Raises:
            SignatureInvalidError: the signature was not made by this key over ``domain + data``.
        """
        try:
            self._public.verify(signature, domain + data)
        except InvalidSignature as e:
            raise SignatureInvalidError("signature") from e


def sign_message(key: SigningKey, topic: str, payload: bytes) -> str:
    """The signature of a payload on its topic, as carried in the MQTT 5 user property ``signature``.

    The topic is signed too, so that a message for one node or scheme cannot be passed to another.

    Args:
        key: the sender's, the same as for its frames.
        topic: in full, as it is published.
        payload: the bytes as they are published.
    """
    return base64.b64encode(key.sign(MESSAGE_DOMAIN, _on_topic(topic, payload))).decode()


def verify_message(key: PublicKey, topic: str, payload: bytes, signature: str) -> None:
    """Check the signature.

    Raises:
        SignatureInvalidError: ``signature`` is not 88 characters of base64, or ``key`` did not sign this payload on
            this topic.
    """
    if len(signature) != SIGNATURE_TEXT_CHARS:
        raise SignatureInvalidError("signature", detail="not 88 characters")
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as e:
        raise SignatureInvalidError("signature", detail="not base64") from e
    key.verify(MESSAGE_DOMAIN, _on_topic(topic, payload), raw)


def _on_topic(topic: str, payload: bytes) -> bytes:
    # A topic from a broker may hold half a surrogate pair; no topic holds a NUL (MQTT 5, 1.5.4).
    return topic.encode(errors="surrogatepass") + b"\x00" + payload
