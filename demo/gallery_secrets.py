"""What only a gallery's memory may hold of a person, taken from its card as whoever holds unit and keys could.

For the search for leaks alone: no step of a script rests on it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from demo.leaks import Needles
from gallery.store.entries import Entries
from gallery.store.gallery_store import GalleryStore
from runtime.key_file import read_key
from wire.gallery_keys import Holder, open_row
from wire.gallery_views import no_views
from wire.ids import parse_node
from wire.signing import PublicKey
from wire.snapshots import Town


def add_secrets(needles: Needles, folder: Path, node: str, scheme: int) -> Needles:
    """Keys and pictures of everybody on a card, whose program may be running.

    Args:
        needles: are added to.
        folder: of the gallery: its identity, and ``state/card``.
        node: whose.
        scheme: of which gallery.

    Returns:
        Rows of keys and photographs as they lie there, sealed: once they are destroyed, no piece of them is left.
    """
    key = X25519PrivateKey.from_private_bytes(read_key(folder / "sealing.key", "sealing key"))
    town, number = Town(PublicKey(read_key(folder / "authority.pub", "authority"))), parse_node(node)
    sealed = Needles()
    with tempfile.TemporaryDirectory(prefix="watchlink-card-") as copied:
        card = Path(copied) / "card"
        shutil.copytree(folder / "state/card", card)
        store = GalleryStore(card, key)
        try:
            store.started("a copy", no_views(town, number))
            entries = Entries(store, town, number, key)
            for case, line in store.lines(scheme).items():
                row = store.row(scheme, (case, line.since))
                if row is None:
                    continue
                sealed.pieces("row of keys", row.sealed)
                keys = open_row(row, line, Holder(town, scheme, number), key)
                needles.key("key of a text", keys.text)
                if keys.photograph is not None:
                    needles.key("key of a photograph", keys.photograph)
                for one in line.photographs:
                    picture = entries.photograph(scheme, line, one.size)
                    if picture is not None:
                        needles.picture(f"photograph, {one.size}", picture)
                        sealed.pieces("photograph, sealed", store.photographs.read(one.sha256) or b"")
        finally:
            store.close()
    needles.key("sealing key", key.private_bytes_raw())
    return sealed
