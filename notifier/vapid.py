"""The key by which push services know us (VAPID, RFC 8292): the one thing that the notifier keeps."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from py_vapid import Vapid02

from runtime.atomic import PRIVATE, write_atomic
from runtime.config import ConfigError

VALID_S: Final = 12 * 3_600
"""Of a signature; a day is the most (RFC 8292, section 2)."""
RENEWED_S: Final = 3_600
"""How long one is used: each costs a push service a check."""
_AUDIENCES_MAX: Final = 256
_NO_KEY: Final = "not a push key (P-256). Restore it, or remove it: then every phone must be set up anew"


class VapidKey:
    """Signs that a push comes from us.

    Args:
        key: on P-256.
        contact: whom a push service may ask, ``mailto:`` or ``https:``.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._vapid = Vapid02(key)
        self._contact = contact
        self._signed: dict[str, tuple[float, str]] = {}
        self.public: str = (
            base64.urlsafe_b64encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
            .rstrip(b"=")
            .decode()
        )
        """65 bytes, base64url: what browsers subscribe with."""

    def authorization(self, audience: str) -> str:
        """The header field for a push service: ``https://push.example.net``."""
        now_s = time.time()
        made_s, field = self._signed.get(audience, (0.0, ""))
        if not 0 <= now_s - made_s < RENEWED_S:
            claims = {"aud": audience, "exp": int(now_s) + VALID_S, "sub": self._contact}
            field = str(self._vapid.sign(claims)["Authorization"])
            if len(self._signed) >= _AUDIENCES_MAX:
                self._signed.clear()
            self._signed[audience] = now_s, field
        return field


def load_or_make_key(file: Path, contact: str) -> VapidKey:
    """The key in ``file``, made if there is none. Without it every phone would have to subscribe anew.

    Raises:
        ConfigError: it holds something else, or cannot be read or written.
    """
    try:
        if not file.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_atomic(file, pem, PRIVATE)
        key = load_pem_private_key(file.read_bytes(), None)
    except OSError as e:
        raise ConfigError(f"{file}: the push key cannot be read or written: {e.strerror}") from e
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise ConfigError(f"{file}: {_NO_KEY}") from e
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError(f"{file}: {_NO_KEY}")
    return VapidKey(key, contact)
