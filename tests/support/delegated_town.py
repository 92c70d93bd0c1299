"""A fleet with a delegate, and what its key can be made to sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from provisioning.delegate import delegate_to
from provisioning.fleet import Fleet
from wire.delegation import changes_signed
from wire.directory import DelegateChanges, Directory, SealedChanges, SealedDirectory, SenderEntry, open_directory
from wire.signing import DELEGATE_DOMAIN, SigningKey


@dataclass
class DelegateKey:
    """Whoever has it, also with an old copy of the directory."""

    fleet: Fleet
    key: SigningKey

    @classmethod
    def of(cls, fleet: Fleet, seed: bytes = b"d" * 32) -> DelegateKey:
        """The fleet gets this delegate."""
        key = SigningKey(seed)
        delegate_to(fleet.folder, key.public.raw)
        return cls(fleet, key)

    def signed(
        self, number: int, *, struck: tuple[str, ...] = (), added: tuple[SenderEntry, ...] = (), base: bytes = b""
    ) -> bytes:
        """The directory with these changes, allowed or not; ``number`` counts the delegate's within the authority's.

        ``base`` is the directory as it is now unless given.
        """
        sealed = msgspec.json.decode(base or self.fleet.layout.directory.read_bytes(), type=SealedDirectory)
        serial: int = msgspec.json.decode(sealed.document)["serial"]
        changes = DelegateChanges(serial=serial + number, made_at=datetime.now(UTC), struck=struck, added=added)
        inner = msgspec.json.encode(changes)
        signature = self.key.sign(DELEGATE_DOMAIN, changes_signed(sealed.signature, inner))
        changed = SealedChanges(document=inner, signature=signature)
        return msgspec.json.encode(msgspec.structs.replace(sealed, changes=changed))

    def opened(self, data: bytes) -> Directory:
        """Verified."""
        return open_directory(data, self.fleet.folder.authority_public())
