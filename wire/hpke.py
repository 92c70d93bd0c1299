"""HPKE (RFC 9180): something sealed to the holder of an X25519 key, who can be asked for nothing.

Base mode, single-shot, of one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. What is sealed is
``enc`` (32 bytes), ciphertext, and tag (16 bytes). Newer ``cryptography`` has it; that of Debian 13 has not.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from wire.errors import DecodeError

KEY_BYTES: Final = 32
"""Of an X25519 key, private or public, raw."""
OVERHEAD_BYTES: Final = 48
"""What sealing adds."""

_MODE_BASE: Final = b"\x00"
_KEM: Final = b"KEM\x00\x20"
_SUITE: Final = b"HPKE\x00\x20\x00\x01\x00\x03"


class SealError(DecodeError):
    """Nothing can be sealed to this key, or what is sealed does not open."""


def seal(recipient: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Seal to the holder of a key.

    Args:
        recipient: their public key, 32 raw bytes.
        info: what it is for; it opens with the same only.
        plaintext: any number of bytes.

    Raises:
        SealError: not 32 bytes, or a point of low order, with which everybody shares the same secret.
    """
    return _seal(X25519PrivateKey.generate(), recipient, info, plaintext)


def open_sealed(key: X25519PrivateKey, info: bytes, sealed: bytes) -> bytes:
    """What was sealed to a key.

    Args:
        key: ours.
        info: as it was sealed with.
        sealed: ``enc``, ciphertext, tag.

    Raises:
        SealError: sealed to another key, with another ``info``, altered, or cut short.
    """
    if len(sealed) < OVERHEAD_BYTES:
        raise SealError("sealed", detail=f"{len(sealed)} bytes")
    enc, ciphertext = sealed[:KEY_BYTES], sealed[KEY_BYTES:]
    aead, nonce = _context(_exchange(key, enc), enc, key.public_key().public_bytes_raw(), info)
    try:
        return aead.decrypt(nonce, ciphertext, b"")
    except InvalidTag as e:
        raise SealError("sealed") from e


def _seal(ephemeral: X25519PrivateKey, recipient: bytes, info: bytes, plaintext: bytes) -> bytes:
    enc = ephemeral.public_key().public_bytes_raw()
    aead, nonce = _context(_exchange(ephemeral, recipient), enc, recipient, info)
    return enc + aead.encrypt(nonce, plaintext, b"")


def _exchange(ours: X25519PrivateKey, theirs: bytes) -> bytes:
    try:
        return ours.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as e:  # not 32 bytes, or a shared secret of zeros (RFC 9180, section 7.1.4)
        raise SealError("sealing key", detail=f"{len(theirs)} bytes") from e


def _context(shared: bytes, enc: bytes, recipient: bytes, info: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    """RFC 9180, sections 4.1 and 5.1: the AEAD under its key, and the nonce of its first and only message."""
    secret = _expand(_KEM, _extract(_KEM, b"", b"eae_prk", shared), b"shared_secret", enc + recipient, 32)
    context = _MODE_BASE + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    secret = _extract(_SUITE, secret, b"secret", b"")
    key, nonce = (_expand(_SUITE, secret, *one) for one in ((b"key", context, 32), (b"base_nonce", context, 12)))
    return ChaCha20Poly1305(key), nonce


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, hashlib.sha256)


def _expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return HKDFExpand(SHA256(), length, labelled).derive(secret)
