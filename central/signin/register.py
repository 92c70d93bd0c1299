"""The people that the office lists, ready to look up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from fido2 import cbor
from fido2.cose import CoseKey
from fido2.webauthn import Aaguid, AttestedCredentialData
from msgspec import Struct

from wire.snapshots import AuditHead, People, PersonEntry


class Register(Struct, frozen=True, dict=True):
    """One people snapshot."""

    people: People

    def person(self, account: int) -> PersonEntry | None:
        """Who has that account, or ``None``."""
        return self._by_account.get(account)

    def named(self, username: str) -> PersonEntry | None:
        """Who has that username, in any case, or ``None``."""
        return self._by_username.get(username.strip().casefold())

    def owner(self, credential: bytes) -> PersonEntry | None:
        """Whose passkey that is, or ``None``. One that two people list is nobody's."""
        return self._by_credential.get(credential)

    @property
    def audit(self) -> AuditHead:
        """Of the snapshot."""
        return self.people.audit

    @cached_property
    def _by_account(self) -> dict[int, PersonEntry]:
        return {person.account: person for person in self.people.people}

    @cached_property
    def _by_username(self) -> dict[str, PersonEntry]:
        return {person.username.casefold(): person for person in self.people.people}

    @cached_property
    def _by_credential(self) -> dict[bytes, PersonEntry]:
        found: dict[bytes, PersonEntry | None] = {}
        for person in self.people.people:
            for passkey in person.passkeys:
                found[passkey.credential] = None if passkey.credential in found else person
        return {credential: person for credential, person in found.items() if person is not None}


def passkeys_of(person: PersonEntry) -> list[AttestedCredentialData]:
    """The person's passkeys for the library; those with a key that it cannot read are left out."""
    found = []
    for passkey in person.passkeys:
        try:
            key = CoseKey.parse(cast("Mapping[int, Any]", cbor.decode(passkey.public_key)))
            found.append(AttestedCredentialData.create(Aaguid.NONE, passkey.credential, key))
        except Exception:  # noqa: BLE001, S112 - the library raises whatever its parsing raises
            continue
    return found
