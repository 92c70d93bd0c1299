"""Fingerprints: what two people read to one another over the phone, to be sure that they hold the same key.

Eighty bits of its SHA-256 as sixteen letters and digits, ``K7PM-2QXD-9RTA-W4HC`` (:mod:`wire.printed_codes`): short
enough to be read out, and nobody finds another key with the same ones.
"""

from __future__ import annotations

import hashlib
from typing import Final

from wire.printed_codes import code_text

_CODE_BYTES: Final = 10


def key_fingerprint(key: bytes) -> str:
    """Of an Ed25519 public key: its 32 raw bytes."""
    return code_text(hashlib.sha256(b"watchlink/1/fingerprint\n" + key).digest()[:_CODE_BYTES])
