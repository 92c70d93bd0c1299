"""A release and its bundles where the enrolment service reads them; what is in a bundle is nothing to that one."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from provisioning.folder import FleetFolder
from runtime.atomic import write_atomic
from wire.release import Bundle, Release, seal_release
from wire.signing import SigningKey

PI = "watchlink-pi"


def authority_of(folder: FleetFolder) -> SigningKey:
    """The town's."""
    return SigningKey(bytes.fromhex((folder.layout.authority / "authority.key").read_text().strip()))


def bundle_in(folder: Path, data: bytes) -> Bundle:
    """A bundle, laid into the folder ``releases`` there."""
    (folder / "releases").mkdir(exist_ok=True)
    sha256 = hashlib.sha256(data).hexdigest()
    (folder / "releases" / f"{sha256}.raucb").write_bytes(data)
    return Bundle(compatible=PI, sha256=sha256, size_bytes=len(data))


def large_bundle_in(folder: Path, size_bytes: int) -> tuple[Bundle, Path]:
    """One that is no test's to hold in memory, and its file."""
    (folder / "releases").mkdir(exist_ok=True)
    piece, digest, beside = os.urandom(1_000_000), hashlib.sha256(), folder / "releases" / "making"
    with beside.open("wb") as writing:
        for _ in range(size_bytes // len(piece)):
            writing.write(piece)
            digest.update(piece)
    file = beside.with_name(f"{digest.hexdigest()}.raucb")
    beside.rename(file)
    return Bundle(compatible=PI, sha256=digest.hexdigest(), size_bytes=file.stat().st_size), file


def release_of(*bundles: Bundle, serial: int = 1, **other: object) -> Release:
    """For all units."""
    fields: dict[str, object] = {"version": "0.1.0.1", "state": "open", "percent": 100} | other
    ends_at, made_at = datetime(2031, 1, 1, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)
    return Release(serial=serial, made_at=made_at, bundles=bundles, support_ends_at=ends_at, **fields)  # type: ignore[arg-type]


def publish_in(folder: Path, release: Release, authority: SigningKey) -> bytes:
    """Lay it there, signed; returns the bytes."""
    data = seal_release(release, authority)
    write_atomic(folder / "release.json", data, 0o644)
    return data
