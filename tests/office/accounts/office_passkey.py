"""A passkey in software that the office enrols (WebAuthn Level 2, sections 6.1, 6.5 and 7.1)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

from tests.support.software_passkey import SoftwarePasskey

_PRESENT_VERIFIED_ATTESTED, _PRESENT_ATTESTED = 0x45, 0x41


class OfficePasskey(SoftwarePasskey):
    """One credential; it remembers whose it is."""

    user_handle = b""

    def register(self, options: dict[str, Any], origin: str, *, is_verified: bool = True) -> str:
        """The answer to the options of an enrolment, as the form sends it."""
        asked = options["publicKey"]
        self.user_handle = websafe_decode(asked["user"]["id"])
        client = json.dumps({"type": "webauthn.create", "challenge": asked["challenge"], "origin": origin}).encode()
        flags = _PRESENT_VERIFIED_ATTESTED if is_verified else _PRESENT_ATTESTED
        data = hashlib.sha256(asked["rp"]["id"].encode()).digest() + bytes([flags]) + bytes(4)
        data += bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + self.entry.public_key
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return json.dumps(
            {
                "id": websafe_encode(self.credential),
                "rawId": websafe_encode(self.credential),
                "type": "public-key",
                "response": {
                    "clientDataJSON": websafe_encode(client),
                    "attestationObject": websafe_encode(attestation),
                },
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )

    def sign_in(self, options: dict[str, Any], origin: str, *, is_verified: bool = True) -> str:
        """The answer to the options of a sign-in, as the form sends it."""
        answer = self.answer(options, origin, is_verified=is_verified)
        answer["response"]["userHandle"] = websafe_encode(self.user_handle)
        return json.dumps(answer)
