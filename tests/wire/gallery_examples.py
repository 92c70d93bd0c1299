"""A gallery for the tests: an office, a town, a node, lines with their keys."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.gallery_head import GalleryHead
from wire.gallery_keys import Holder, LineKeys, seal_text
from wire.gallery_lines import EntryText, GalleryLine, Lines, PhotographEntry
from wire.ids import NodeId
from wire.signing import SigningKey
from wire.snapshots import Town

OFFICE: Final = SigningKey(b"o" * 32)
TOWN: Final = Town(SigningKey(b"a" * 32).public)
KEYS: Final = (OFFICE.public,)
NODE: Final = X25519PrivateKey.from_private_bytes(b"n" * 32)
NODE_PUBLIC: Final = NODE.public_key().public_bytes_raw()
HOLDER: Final = Holder(TOWN, 1, NodeId(0x10))
TEXT: Final = EntryText(reference="HART-0042", category="theft", name="Nobody Atall")


def digest_of(*parts: object) -> str:
    """64 digits that nothing compresses."""
    return sha256(repr(parts).encode()).hexdigest()


def keys_of(case: int, *, has_photograph: bool = True, here: bool = False) -> LineKeys:
    """The keys of a line: made up, and no other line's."""
    photograph = bytes.fromhex(digest_of("photograph", case)) if has_photograph else None
    return LineKeys(bytes.fromhex(digest_of("text", case)), photograph, here=here)


def line(case: int, since: int = 1, text: EntryText = TEXT, *, has_photograph: bool = True) -> GalleryLine:
    """A line as an office makes it."""
    sizes = (("small", 6_000), ("portrait", 60_000)) if has_photograph else ()
    return GalleryLine(
        case=case,
        since=since,
        not_before_s=1_700_000_000 + 86_400 * (case % 300),
        not_after_s=1_715_000_000 + 86_400 * (case % 300),
        text=seal_text(text, keys_of(case).text, 1, case, since),
        photograph=digest_of("number", case)[:32] if has_photograph else None,
        photographs=tuple(
            PhotographEntry(size=size, sha256=digest_of(size, case), file_bytes=length)  # type: ignore[arg-type]
            for size, length in sizes
        ),
    )


def head_of(lines: Lines, number: int) -> GalleryHead:
    """The head that names them."""
    return GalleryHead(
        scheme=1,
        number=number,
        made_at=datetime(2026, 11, 27, 12, tzinfo=UTC),
        lines=len(lines),
        digest=lines.digest,
        lease_s=7 * 86_400,
    )
