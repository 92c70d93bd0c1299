"""Seals what names a member of staff, under a key that is derived from the unit's own.

Whoever holds the whole card holds that key as well. It keeps names out of what is copied by mistake: a database that is
sent to somebody, an old block of the card.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ABOUT: Final = b"watchlink/1/gallery staff"
_NONCE_BYTES: Final = 12


class StaffSeal:
    """ChaCha20-Poly1305 (RFC 8439), with a random nonce of 12 bytes in front.

    Args:
        key: the unit's, for what is sealed to it.
    """

    def __init__(self, key: X25519PrivateKey) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=_ABOUT).derive(key.private_bytes_raw())
        self._cipher = ChaCha20Poly1305(derived)

    def seal(self, data: bytes) -> bytes:
        """For the card."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, _ABOUT)

    def open(self, sealed: bytes) -> bytes | None:
        """What was sealed; ``None`` = it is damaged, or another unit's."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _ABOUT)
        except (InvalidTag, ValueError):
            return None
