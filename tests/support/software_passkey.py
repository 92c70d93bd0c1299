"""A passkey in software (WebAuthn Level 2, sections 6 and 7): answers as an authenticator and its browser do."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

from wire.snapshots import PasskeyEntry

_USER_PRESENT, _USER_VERIFIED = 0x01, 0x04


class SoftwarePasskey:
    """One credential."""

    def __init__(self) -> None:
        self.credential = secrets.token_bytes(16)
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def entry(self) -> PasskeyEntry:
        """As the people snapshot lists it."""
        key = ES256.from_cryptography_key(self._key.public_key())  # type: ignore[no-untyped-call]
        return PasskeyEntry(credential=self.credential, public_key=cbor.encode(dict(key)))

    @property
    def private_key(self) -> bytes:
        """PKCS #8, for a browser's virtual authenticator."""
        encoding, container = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(encoding, container, serialization.NoEncryption())

    def answer(
        self,
        options: dict[str, Any],
        origin: str,
        *,
        rp_id: str = "",
        kind: str = "webauthn.get",
        is_verified: bool = True,
    ) -> dict[str, Any]:
        """To the options of a challenge, for a page of that origin."""
        asked = options["publicKey"]
        client = json.dumps({"type": kind, "challenge": asked["challenge"], "origin": origin}).encode()
        flags = _USER_PRESENT | (_USER_VERIFIED if is_verified else 0)
        authenticator = hashlib.sha256((rp_id or asked["rpId"]).encode()).digest() + bytes([flags]) + bytes(4)
        signed = authenticator + hashlib.sha256(client).digest()
        credential = websafe_encode(self.credential)
        return {
            "id": credential,
            "rawId": credential,
            "type": "public-key",
            "response": {
                "authenticatorData": websafe_encode(authenticator),
                "clientDataJSON": websafe_encode(client),
                "signature": websafe_encode(self._key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": None,
            },
            "clientExtensionResults": {},
        }
