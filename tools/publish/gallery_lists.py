"""The gallery's manifest in the documents: an example, and golden bytes."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tools.publish.examples import HART, KEYS, PRESSED_AT, PUBWATCH
from wire.errors import SnapshotError
from wire.gallery_manifest import (
    GalleryEntry,
    GalleryManifest,
    PhotographEntry,
    manifest_name,
    open_manifest,
    seal_manifest,
)
from wire.snapshots import AuditHead, Town

Json = dict[str, Any]

MANIFEST: Final = GalleryManifest(
    scheme=HART,
    number=42,
    made_at=PRESSED_AT,
    audit=AuditHead(sequence=7, digest="ab" * 32),
    entries=(
        GalleryEntry(
            case=17,
            reference="HART-0042",
            category="theft",
            not_before_s=1_772_841_600,
            not_after_s=1_788_735_600,
            name="Nobody Atall",
            photograph="0f" * 16,
            photographs=(
                PhotographEntry(size="small", sha256="cd" * 32, file_bytes=6_000),
                PhotographEntry(size="portrait", sha256="ef" * 32, file_bytes=60_000),
            ),
        ),
        GalleryEntry(
            case=18,
            reference="HART-0043",
            category="abuse-of-staff",
            not_before_s=1_772_841_600,
            not_after_s=1_788_735_600,
            premises=(5, 8),
        ),
    ),
)


def vectors() -> Json:
    """Manifests as golden bytes, and some that every reader refuses."""
    office, town = KEYS["office"], Town(KEYS["authority"].public)
    empty = replace(MANIFEST, scheme=PUBWATCH, number=1, entries=())
    sealed = seal_manifest(MANIFEST, town, office)
    cases: list[tuple[str, int, bytes]] = [
        ("another scheme", PUBWATCH, sealed),
        ("another town", HART, seal_manifest(MANIFEST, Town(KEYS["shop"].public), office)),
        ("another signer", HART, seal_manifest(MANIFEST, town, KEYS["next office"])),
        ("an end put off", HART, sealed.replace(b"1788735600", b"1788735601", 1)),
        ("an entry less", HART, sealed.replace(b'"case":18', b'"case":19')),
        ("cut short", HART, sealed[:-1]),
    ]
    return {
        "town": town.text,
        "office": office.public.raw.hex(),
        "valid": [
            {
                "name": manifest_name(one.scheme),
                "scheme": one.scheme,
                "sealed": seal_manifest(one, town, office).decode(),
                "manifest": msgspec.to_builtins(one),
            }
            for one in (MANIFEST, empty)
        ],
        "invalid": [
            {"name": name, "scheme": scheme, "sealed": data.decode(), "reason": _refusal(data, scheme, town)}
            for name, scheme, data in cases
        ],
    }


def _refusal(data: bytes, scheme: int, town: Town) -> str:
    try:
        open_manifest(data, scheme, town, (KEYS["office"].public,))
    except SnapshotError as e:
        return e.reason
    raise AssertionError("a manifest that should be refused is taken")
