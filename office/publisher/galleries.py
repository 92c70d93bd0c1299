"""Publishes the manifests of the galleries: numbered, signed, with the ciphertext of photographs beside them.

A manifest replaces the one before as a whole, and its file too: whoever is revoked is in no file any more. A scheme
that is gone has one without entries for ever. A ciphertext that no newest manifest names is removed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from django.utils import timezone

from office.publisher import gallery_content
from office.publisher.gallery_content import ShownCase
from office.publisher.shelf import GROUP_READABLE, Shelf, give_number
from runtime.atomic import write_atomic
from wire.errors import EncodeError, SnapshotError
from wire.gallery_manifest import (
    GalleryEntry,
    GalleryManifest,
    ciphertext_file,
    manifest_file,
    manifest_name,
    open_manifest,
    parse_ciphertext_file,
    parse_manifest_file,
    seal_manifest,
)
from wire.signing import SigningKey
from wire.snapshots import AuditHead, Town

logger = logging.getLogger(__name__)

Galleries = dict[int, tuple[ShownCase, ...]]


class GalleryPublishing:
    """The manifests in the shelf's folder.

    Args:
        shelf: where snapshots are put.
        town: ours.
        key: the snapshot key.
        photographs: the folder of encrypted photographs. Its files are copied as they are: no key is needed.
        on_published: told of each manifest, once its file is there.
    """

    def __init__(
        self,
        shelf: Shelf,
        town: Town,
        key: SigningKey,
        photographs: Path,
        *,
        on_published: Callable[[str, int], None],
    ) -> None:
        self._shelf = shelf
        self._folder = shelf.folder
        self._town = town
        self._key = key
        self._photographs = photographs
        self._on_published = on_published
        self._day: date | None = None
        self._last: dict[int, GalleryManifest] = {}
        for scheme, number in self._numbers().items():
            self._recall(scheme, number)

    def is_due(self) -> bool:
        """Whether a day has begun since :meth:`read`: people come and go at its begin, whatever anybody does."""
        return self._day != timezone.localdate()

    def read(self) -> Galleries:
        """What the database says now."""
        self._day = timezone.localdate()
        return gallery_content.shown_cases(self._day)

    def publish(self, galleries: Galleries, head: AuditHead) -> None:
        """Publish what differs from the newest manifests.

        Raises:
            EncodeError, OSError: something cannot be published. Everything else is.
        """
        numbers, day = self._numbers(), self._day
        # Whoever holds the last manifest of a scheme that is gone lets go of it only for a newer one.
        gone: Galleries = dict.fromkeys((numbers.keys() | self._given()) - galleries.keys(), ())
        # Until all is done, so that a fault is followed by another try at once.
        self._day = None
        faults: list[Exception] = []
        for scheme, shown in (galleries | gone).items():
            try:
                faults += self._publish(scheme, shown, head, numbers.get(scheme, 0))
            except (EncodeError, OSError) as e:
                # Nobody in another scheme is shown for longer because of it.
                faults.append(e)
        self._tidy()
        if faults:
            raise faults[0]
        self._day = day

    def _publish(self, scheme: int, shown: tuple[ShownCase, ...], head: AuditHead, in_folder: int) -> list[OSError]:
        """Publish one; returns why photographs are left out, which stops nobody's revocation."""
        entries: list[GalleryEntry] = []
        faults: list[OSError] = []
        for entry, ciphertexts in gallery_content.with_photographs(shown, self._photographs):
            try:
                for digest, source in ciphertexts.items():
                    self._put(digest, source)
            except OSError as e:
                faults.append(e)
                entries.append(gallery_content.without_photographs(entry))
            else:
                entries.append(entry)
        last = self._last.get(scheme)
        if (
            last is not None
            and last.entries == tuple(entries)
            and last.number >= self._shelf.given_number(manifest_name(scheme))
        ):
            return faults
        manifest = GalleryManifest(
            scheme=scheme,
            number=give_number(manifest_name(scheme), in_folder),
            made_at=datetime.now(UTC),
            audit=head,
            entries=tuple(entries),
        )
        data = seal_manifest(manifest, self._town, self._key)
        write_atomic(self._folder / manifest_file(scheme, manifest.number), data, GROUP_READABLE)
        self._last[scheme] = manifest
        self._on_published(manifest_name(scheme), manifest.number)
        return faults

    def _put(self, digest: str, source: Path) -> None:
        target = self._folder / ciphertext_file(digest)
        if target.exists():
            return
        data = source.read_bytes()
        if sha256(data).hexdigest() != digest:
            raise OSError(f"{source.name} has changed while it was published")
        write_atomic(target, data, GROUP_READABLE)

    def _recall(self, scheme: int, number: int) -> None:
        try:
            data = (self._folder / manifest_file(scheme, number)).read_bytes()
            self._last[scheme] = open_manifest(data, scheme, self._town, (self._key.public,))
        except (OSError, SnapshotError) as e:
            logger.warning("the newest manifest of scheme %d in the folder is not used: %s", scheme, e)

    def _numbers(self) -> dict[int, int]:
        """The highest number in the folder, by scheme."""
        newest: dict[int, int] = {}
        for path in self._folder.iterdir():
            found = parse_manifest_file(path.name)
            if found is not None:
                newest[found[0]] = max(newest.get(found[0], 0), found[1])
        return newest

    def _given(self) -> set[int]:
        """Schemes of which there ever was a manifest, though its file may be lost."""
        found = (parse_manifest_file(f"{name}-1.json") for name in self._shelf.given_names())
        return {one[0] for one in found if one is not None}

    def _tidy(self) -> None:
        """Remove older manifests, ciphertexts that no newest one names, and what a kill in the middle has left."""
        newest = self._numbers()
        named = {digest for manifest in self._last.values() for digest in manifest.ciphertexts()}
        for path in list(self._folder.iterdir()):
            of_manifest, digest = parse_manifest_file(path.name), parse_ciphertext_file(path.name)
            is_old = of_manifest is not None and of_manifest[1] < newest[of_manifest[0]]
            is_unnamed = digest is not None and digest not in named
            is_left = path.name.startswith(".") and (".bin." in path.name or path.name.startswith(".gallery-"))
            if is_old or is_unnamed or is_left:
                path.unlink(missing_ok=True)
