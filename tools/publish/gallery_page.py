"""``docs/gallery-protocol.md``: the manifest for people, its tables made from the code."""

from __future__ import annotations

import json
from typing import Final

import msgspec

from tools.publish import gallery_lists
from tools.publish.handbook import fields_of, table
from wire.entry_lists import ENTRY_BYTES_MAX
from wire.gallery_manifest import (
    ENTRIES_MAX,
    LISTED_MAX,
    PHOTOGRAPH_BYTES_MAX,
    GalleryEntry,
    GalleryManifest,
    PhotographEntry,
    manifest_file,
)
from wire.limits import SNAPSHOT_BYTES_MAX
from wire.messages import Message
from wire.snapshots import AuditHead

PAGE: Final = """
# The gallery's protocol

Made from the code by `python -m tools.publish`: do not edit. Golden bytes are in `wire/vectors/gallery.json`.

Who is excluded in a scheme, and may be shown in its shops. The office's publisher writes into its folder of snapshots:

| file | what |
|---|---|
| `gallery-SCHEME-NUMBER.json` | the manifest of a scheme, by its number in the directory; only the newest is kept |
| `HEX.bin` | ciphertext of one size of a photograph, named by its SHA-256; removed once no newest manifest names it |

There is no face recognition anywhere in this: no file or field holds anything measured of a face.

## The manifest's file

An object with `name` (`gallery-SCHEME`), `town` (the authority's public key in hexadecimal), `snapshot` (below) and
`signature`, as of the [snapshots of the office](wire.md#snapshots-of-the-office): Ed25519 by the office over the domain
`watchlink/1/snapshot` and a zero byte, name, line feed, town, line feed, and the very bytes of `snapshot`.

A reader verifies with the keys that the signed directory lists (`office_keys`), and refuses a manifest of another
scheme or town, and a number lower than the one it holds: numbers never go back. A manifest replaces the one before as a
whole: **what it does not list is not shown any more**, and its photographs are deleted.

- An entry is listed on the days on which the case is in force and may be shown: not before its first day; not while its
  accuracy is contested; not once it is revoked, ended or erased; no under-18 unless the scheme's impact assessment and
  a second approver both allow it.
- While the scheme's register is off the manifest has no entries. Nor has that of a scheme which the office no longer
  knows: its file is replaced by an empty one, not removed, because whoever holds the last one would go on showing it.
- `not_before_s` and `not_after_s` hold with or without contact, by proven time alone.
- The office publishes when anything changes, and at the begin of each day in Europe/London.

## Photographs

A file is a nonce of 12 bytes, then ciphertext and tag of ChaCha20-Poly1305 (RFC 8439) under the content key of the
photograph. Authenticated beside it, as UTF-8: `watchlink/1/photograph`, line feed, the photograph's number as in
`photograph`, line feed, the size (`small` or `portrait`). Inside is a JPEG. It is the same for all nodes. Its name is
the SHA-256 of the file's bytes, so that a cut or altered file is found before it is opened.

## Keys

**Keys are not in the manifest.** Each node gets the content keys of the entries that it may show, each sealed to that
node with the entry's `not_after_s` and the manifest's number: that is the gallery's own exchange, not written yet.
"""
KINDS: Final[tuple[type[Message], ...]] = (GalleryManifest, GalleryEntry, PhotographEntry)


_LIMITS: Final = {
    "a manifest's file": f"{SNAPSHOT_BYTES_MAX:,} bytes",
    "entries": f"{ENTRIES_MAX:,}",
    "an entry, as JSON": f"{ENTRY_BYTES_MAX:,} bytes",
    "premises of an entry that lists them": f"{LISTED_MAX:,}",
    "the ciphertext of a photograph": f"{PHOTOGRAPH_BYTES_MAX:,} bytes",
}


def gallery_page() -> str:
    """``docs/gallery-protocol.md``."""
    _, found = msgspec.json.schema_components((*KINDS, AuditHead), ref_template="#/components/schemas/{name}")
    name = manifest_file(gallery_lists.MANIFEST.scheme, gallery_lists.MANIFEST.number)
    example = json.dumps(msgspec.to_builtins(gallery_lists.MANIFEST), indent=1, ensure_ascii=False)
    parts = [
        PAGE,
        "## What a manifest says",
        *(part for kind in KINDS for part in fields_of(kind, found[kind.__name__])),
        "`AuditHead` is that of the [snapshots](wire.md#snapshots-of-the-office).",
        f"An example, `{name}` before it is sealed:",
        f"```json\n{example}\n```",
        "## Limits",
        table(("what", "at most"), _LIMITS.items()),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"
