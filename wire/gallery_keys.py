"""A gallery's keys: rows that seal a line's keys to one node, and what opens with them (ADR 0034).

A row is good for one node and one line: for its case, the number since when it is what it is, and its last day. It
holds the key of the line's text, that of its photographs, and whether it happened here, which no other node is told.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Struct

from wire.gallery_lines import (
    TEXT_BYTES_MAX,
    CaseNumber,
    EntryText,
    GalleryError,
    GalleryLine,
    GalleryNumber,
    PhotographEntry,
)
from wire.hpke import OVERHEAD_BYTES, SealError, open_sealed, seal
from wire.ids import NodeId, node_text
from wire.messages import Message
from wire.snapshots import Town

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TEXT_BLOCK_BYTES: Final = 128
"""Texts are filled up to a multiple, so that a line's length does not tell a name's."""

_HERE: Final = 1


class KeyRow(Message, frozen=True, gc=False):
    """The keys of a line, for one node."""

    case: CaseNumber
    since: GalleryNumber
    """Of the line: for another it does not open."""
    sealed: Annotated[
        bytes,
        msgspec.Meta(min_length=OVERHEAD_BYTES + 1 + KEY_BYTES, max_length=OVERHEAD_BYTES + 1 + 2 * KEY_BYTES),
    ]
    """HPKE's ``enc``, then ciphertext and tag of: a byte (1 = it happened here, or concerns this premises; else 0), the
    text's key, the photographs' key if there are any."""


class LineKeys(Struct, frozen=True):
    """What a row holds.

    Attributes:
        text: 32 bytes.
        photograph: 32 bytes; ``None`` = the line has no photograph.
        here: it happened at the node's premises, or concerns it in particular.
    """

    text: bytes
    photograph: bytes | None = None
    here: bool = False

    def __repr__(self) -> str:
        """Without the keys, which no log should hold."""
        return f"LineKeys(here={self.here})"


class Holder(Struct, frozen=True):
    """The node whose row it is, in a scheme of a town."""

    town: Town
    scheme: int
    node: NodeId

    def info(self, line: GalleryLine) -> bytes:
        """What the row of a line is bound to."""
        parts = (self.town.text, self.scheme, node_text(self.node), line.case, line.since, line.not_after_s)
        return "\n".join(("watchlink/1/gallery key", *map(str, parts))).encode()


_read_text: Final = msgspec.json.Decoder(EntryText).decode


def seal_row(keys: LineKeys, line: GalleryLine, holder: Holder, recipient: bytes) -> KeyRow:
    """The row of a line for a node.

    Args:
        keys: of the line.
        line: as it is published.
        holder: whose it becomes.
        recipient: the node's sealing key, of the signed directory: X25519, 32 raw bytes.

    Raises:
        SealError: that is no key.
    """
    plaintext = bytes([_HERE if keys.here else 0]) + keys.text + (keys.photograph or b"")
    return KeyRow(case=line.case, since=line.since, sealed=seal(recipient, holder.info(line), plaintext))


def open_row(row: KeyRow, line: GalleryLine, holder: Holder, key: X25519PrivateKey) -> LineKeys:
    """The keys of a line.

    Args:
        row: as it came.
        line: which it should open.
        holder: ourselves.
        key: the node's sealing key.

    Raises:
        SealError: it is another node's, scheme's or line's, of another length of the ban, or malformed.
    """
    if (row.case, row.since) != (line.case, line.since):
        raise SealError("sealed", detail=f"for case {row.case} since {row.since}")
    plaintext = open_sealed(key, holder.info(line), row.sealed)
    keys = plaintext[1 : 1 + KEY_BYTES], plaintext[1 + KEY_BYTES :]
    if plaintext[0] > _HERE or len(keys[0]) != KEY_BYTES or len(keys[1]) != (KEY_BYTES if line.photographs else 0):
        raise SealError("sealed", detail=f"{len(plaintext)} bytes of keys")
    return LineKeys(keys[0], keys[1] or None, here=plaintext[0] == _HERE)


def seal_text(text: EntryText, key: bytes, scheme: int, case: int, since: int) -> bytes:
    """A line's text as ciphertext: nonce of 12 bytes, ciphertext, tag.

    Args:
        text: what it says.
        key: of this line alone, 32 bytes.
        scheme: in which it is shown.
        case: of the line.
        since: of the line.

    Raises:
        GalleryError: too long.
    """
    plaintext = msgspec.json.encode(text)
    plaintext = plaintext.ljust(-(-len(plaintext) // TEXT_BLOCK_BYTES) * TEXT_BLOCK_BYTES)
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + ChaCha20Poly1305(key).encrypt(nonce, plaintext, _about_text(scheme, case, since))
    if len(sealed) > TEXT_BYTES_MAX:
        raise GalleryError("gallery text", detail=f"{len(sealed)} bytes")
    return sealed


def open_text(line: GalleryLine, key: bytes, scheme: int) -> EntryText:
    """What a line says.

    Raises:
        GalleryError: the key is another line's, or it is altered or malformed.
    """
    plaintext = _decrypt(key, line.text, _about_text(scheme, line.case, line.since), "gallery text")
    try:
        return _read_text(plaintext)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery text") from e


def open_photograph(data: bytes, photograph: str, entry: PhotographEntry, key: bytes) -> bytes:
    """A JPEG, which the reader has no more reason to trust than any other.

    Args:
        data: the file.
        photograph: number that the line gives it.
        entry: of this size.
        key: of the row.

    Raises:
        GalleryError: it is not the file that the line names, or the key is another's.
    """
    if len(data) != entry.file_bytes or sha256(data).hexdigest() != entry.sha256:
        raise GalleryError("gallery photograph", detail=f"{len(data)} bytes")
    about = f"watchlink/1/photograph\n{photograph}\n{entry.size}".encode()
    return _decrypt(key, data, about, "gallery photograph")


def _about_text(scheme: int, case: int, since: int) -> bytes:
    return f"watchlink/1/gallery text\n{scheme}\n{case}\n{since}".encode()


def _decrypt(key: bytes, sealed: bytes, about: bytes, reason: str) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as e:
        raise GalleryError(reason) from e
