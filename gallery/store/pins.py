"""Makes and compares verifiers of PINs, and compares start codes.

A PIN has a million values or little more, and no slow hash makes that many. So a verifier is worth something only
together with the unit's secret, which is not in the database: a copy of that alone says nothing of any PIN.
"""

from __future__ import annotations

import hmac
import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gallery.core.events import Pin
from wire.gallery_staff import start_code_check

MEMORY_KIB: Final = 19 * 1024
"""OWASP's least for Argon2id with two passes. More would be felt on a machine with 1 GB, and guessed no less."""
PASSES: Final = 2
_ABOUT: Final = b"watchlink/1/gallery pins"


class PinVerifier:
    """Argon2id over HMAC-SHA256 of the PIN under a secret of the unit. From any thread, one at a time.

    Args:
        key: the unit's, for what is sealed to it; the secret is derived from it.
    """

    def __init__(self, key: X25519PrivateKey) -> None:
        self._secret: Final = HKDF(SHA256(), length=32, salt=None, info=_ABOUT).derive(key.private_bytes_raw())
        self._hasher: Final = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
        self._one_at_a_time: Final = threading.Lock()

    def make(self, pin: Pin) -> bytes:
        """A verifier, for the card. It takes a third of a second on a small machine, and its memory meanwhile.

        Raises:
            argon2.exceptions.HashingError: there is no memory.
        """
        with self._one_at_a_time:
            return self._hasher.hash(self._keyed(pin)).encode("ascii")

    def is_pin(self, pin: Pin, verifier: bytes) -> bool:
        """Whether the verifier was made of this PIN on this unit. One that is none fits nothing. Never raises."""
        with self._one_at_a_time:
            try:
                return self._hasher.verify(verifier, self._keyed(pin))
            except (VerificationError, ValueError):
                return False

    @staticmethod
    def is_code(code: Pin, code_check: str) -> bool:
        """Whether this is the start code; an empty check fits nothing."""
        typed = start_code_check(code.text)
        return typed is not None and hmac.compare_digest(typed, code_check)

    def _keyed(self, pin: Pin) -> bytes:
        return hmac.digest(self._secret, pin.text.encode(errors="surrogatepass"), "sha256")
