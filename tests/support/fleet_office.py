"""An office as the fleet sees it: a key, and the snapshots that it signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from provisioning.fleet import Fleet
from wire.signing import SigningKey
from wire.snapshots import AuditHead, Premises, PremisesEntry, Town, file_name, seal_snapshot


@dataclass
class Office:
    """An office of this fleet's town: its key, and the snapshots it writes."""

    fleet: Fleet
    folder: Path
    key: SigningKey = field(default_factory=lambda: SigningKey(b"o" * 32))

    @property
    def public_file(self) -> Path:
        """Its public key, as the office makes the file."""
        path = self.folder / "snapshot.pub"
        path.write_text(self.key.public.raw.hex() + "\n")
        return path

    def publish(self, number: int, *entries: PremisesEntry, town: Town | None = None) -> Path:
        """The file of a snapshot of its premises."""
        at = datetime(2027, 3, 1, 12, tzinfo=UTC)
        head = AuditHead(sequence=0, digest="0" * 64)
        snapshot = Premises(number=number, made_at=at, audit=head, premises=entries)
        path = self.folder / file_name("premises", number)
        path.write_bytes(seal_snapshot(snapshot, town or Town(self.fleet.folder.authority_public()), self.key))
        return path
