"""Opens what is on the card, in memory alone: a person's text and photograph, for whoever may see them now.

Whether they may is the core's question (:mod:`gallery.core.readable`), and is asked before.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from gallery.store.gallery_store import GalleryStore
from wire.gallery_keys import Holder, LineKeys, open_photograph, open_row, open_text
from wire.gallery_lines import EntryText, GalleryError, GalleryLine, PhotographSize
from wire.hpke import SealError
from wire.ids import NodeId
from wire.snapshots import Town


class RowError(GalleryError):
    """A row of keys on the card does not open any more."""


class Opened(Struct, frozen=True):
    """A person, as a page shows them.

    Attributes:
        here: it happened at these premises, or concerns them.
    """

    line: GalleryLine
    text: EntryText
    here: bool


class Entries:
    """For any thread.

    Args:
        store: the card.
        town, node: ours.
        key: the unit's, for what is sealed to it.
    """

    def __init__(self, store: GalleryStore, town: Town, node: NodeId, key: X25519PrivateKey) -> None:
        self._store = store
        self._town = town
        self._node = node
        self._key = key

    def open(self, scheme: int, line: GalleryLine) -> Opened | None:
        """What a line says; ``None`` = there is no key of it here.

        Raises:
            GalleryError: it is damaged.
        """
        keys = self._keys(scheme, line)
        if keys is None:
            return None
        return Opened(line, open_text(line, keys.text, scheme), here=keys.here)

    def photograph(self, scheme: int, line: GalleryLine, size: PhotographSize) -> bytes | None:
        """A JPEG, which is no more trusted than any other; ``None`` = there is no key, or no photograph here.

        Raises:
            GalleryError: it is damaged.
            OSError: the disk refuses.
        """
        keys = self._keys(scheme, line)
        entry = next((one for one in line.photographs if one.size == size), None)
        data = None if entry is None else self._store.photographs.read(entry.sha256)
        if keys is None or keys.photograph is None or entry is None or data is None or line.photograph is None:
            return None
        return open_photograph(data, line.photograph, entry, keys.photograph)

    def _keys(self, scheme: int, line: GalleryLine) -> LineKeys | None:
        row = self._store.row(scheme, (line.case, line.since))
        if row is None:
            return None
        try:
            return open_row(row, line, Holder(self._town, scheme, self._node), self._key)
        except SealError as e:
            raise RowError("gallery row", detail=str(e)) from e
