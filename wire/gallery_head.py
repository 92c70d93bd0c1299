"""A gallery's head: what the office signs of whom a scheme's shops are shown (ADR 0034). It names the lines.

The file ``gallery-1-42.json`` is the head of number 42 of scheme 1, and ``gallery-1-42.lines`` are its lines
(:mod:`wire.gallery_lines`). Together they replace the ones before: who is in no line is not shown any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from wire.errors import SnapshotError
from wire.gallery_lines import ENTRIES_MAX, GalleryError, GalleryNumber, Lines, parse_lines
from wire.messages import Message, Moment, SchemeNumber, settle_moments
from wire.signing import PublicKey, SigningKey
from wire.snapshots import HexDigest, Town, open_named, seal_named

HEAD_BYTES_MAX: Final = 4_096
LEASE_S_MIN: Final = 3_600
LEASE_S_MAX: Final = 90 * 86_400

_SCHEME_MAX: Final = 0xFFFF
_FILE_NAME: Final = re.compile(r"gallery-([1-9][0-9]{0,4})-([1-9][0-9]{0,15})\.(json|lines)")
_CIPHERTEXT_NAME: Final = re.compile(r"([0-9a-f]{64})\.bin")


class GalleryHead(Message, frozen=True):
    """All that is shown in a scheme now, by the digest of its lines. Without lines nobody is: the register is off."""

    scheme: SchemeNumber
    """As in the directory."""
    number: GalleryNumber
    """Never goes back; the scheme's own."""
    made_at: Moment
    """By the office's clock."""
    lines: Annotated[int, msgspec.Meta(ge=0, le=ENTRIES_MAX)]
    """How many."""
    digest: HexDigest
    """SHA-256 of the lines' file."""
    lease_s: Annotated[int, msgspec.Meta(ge=LEASE_S_MIN, le=LEASE_S_MAX)]
    """How long after its last contact with the office a node may show them, at most."""

    def __post_init__(self) -> None:
        settle_moments(self, "made_at")


_read_head: Final = msgspec.json.Decoder(GalleryHead).decode


def seal_head(head: GalleryHead, town: Town, key: SigningKey) -> bytes:
    """Sign and wrap a head: the bytes of its file.

    Raises:
        EncodeError: no reader would accept it: a field is out of bounds.
    """
    return seal_named(head_name(head.scheme), head, town, key, _read_head)


def open_head(data: bytes, scheme: int, town: Town, keys: tuple[PublicKey, ...]) -> GalleryHead:
    """Verify and read a head. Whether its number is higher than the one held is the caller's question.

    Args:
        data: the file.
        scheme: whose; its name, which is signed, must say so.
        town: ours.
        keys: of offices that the signed directory trusts; none = nothing is accepted.

    Raises:
        SnapshotError: too large, malformed, of another scheme or town, or not signed by one of ``keys``.
    """
    if len(data) > HEAD_BYTES_MAX:
        raise SnapshotError("snapshot too large", HEAD_BYTES_MAX, f"{len(data)} bytes")
    head = open_named(data, head_name(scheme), town, keys, _read_head)
    if head.scheme != scheme:
        raise SnapshotError("snapshot name", detail=f"of scheme {head.scheme}, not {scheme}")
    return head


def open_lines(data: bytes, head: GalleryHead) -> Lines:
    """The whole file of lines, as this head names it.

    Raises:
        GalleryError: it is not the file that the head names, or it is malformed.
    """
    lines = parse_lines(data)
    _check(lines, head)
    return lines


def merge(held: Lines, number: int, head: GalleryHead, lines: bytes, gone: Iterable[int]) -> Lines:
    """The lines that a head names, from those held and what has changed since. A refusal means: fetch the whole.

    Args:
        held: what the head of ``number`` named.
        number: of the gallery that is held; 0 = none is.
        head: the newer one, verified.
        lines: those that became what they are after ``number``, as in the file.
        gone: numbers of the cases that have no line any more.

    Raises:
        GalleryError: the head is not newer, a line is malformed or is not from after ``number``, or together they are
            not what the head names.
    """
    fresh = parse_lines(lines)
    if head.number <= number or any(not number < line.since <= head.number for line in fresh.values()):
        raise GalleryError("gallery change", detail=f"from {number} to {head.number}")
    merged = held.changed(fresh, gone)
    _check(merged, head)
    return merged


def head_name(scheme: int) -> str:
    """``1`` → ``"gallery-1"``."""
    return f"gallery-{scheme}"


def head_file(scheme: int, number: int) -> str:
    """``(1, 42)`` → ``"gallery-1-42.json"``."""
    return f"{head_name(scheme)}-{number}.json"


def lines_file(scheme: int, number: int) -> str:
    """``(1, 42)`` → ``"gallery-1-42.lines"``."""
    return f"{head_name(scheme)}-{number}.lines"


def parse_head_file(text: str) -> tuple[int, int] | None:
    """``"gallery-1-42.json"`` → ``(1, 42)``; ``None`` if it is no head's name."""
    return _parse(text, "json")


def parse_lines_file(text: str) -> tuple[int, int] | None:
    """``"gallery-1-42.lines"`` → ``(1, 42)``; ``None`` if it is no name of lines."""
    return _parse(text, "lines")


def ciphertext_file(sha256: str) -> str:
    """Name of the file of a photograph's ciphertext."""
    return f"{sha256}.bin"


def parse_ciphertext_file(text: str) -> str | None:
    """SHA-256 that a file's name gives; ``None`` if it is no ciphertext's name."""
    match = _CIPHERTEXT_NAME.fullmatch(text)
    return None if match is None else match[1]


def _parse(text: str, ending: str) -> tuple[int, int] | None:
    match = _FILE_NAME.fullmatch(text)
    is_one = match is not None and match[3] == ending and int(match[1]) <= _SCHEME_MAX
    return (int(match[1]), int(match[2])) if match is not None and is_one else None


def _check(lines: Lines, head: GalleryHead) -> None:
    if len(lines) != head.lines or lines.digest != head.digest:
        raise GalleryError("gallery digest", detail=f"{len(lines)} lines for {head.lines}")
