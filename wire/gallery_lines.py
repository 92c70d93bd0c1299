"""A gallery's lines: one for each person whom a scheme's shops may be shown, in the order of the cases (ADR 0034).

In the file each is JSON and a line feed. The signed head (:mod:`wire.gallery_head`) names the SHA-256 of the file, so
that whoever has put it together from changes knows that it is whole. What names a person is ciphertext in a line. The
bytes of a line are kept as they came: a field that a reader does not know yet counts in the digest all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec

from wire.errors import DecodeError
from wire.limits import DETAIL_CHARS_MAX
from wire.messages import Message
from wire.snapshots import HexDigest
from wire.text import display_text

ENTRIES_MAX: Final = 10_000
LISTED_MAX: Final = 500
"""Premises of one entry that lists them."""
PHOTOGRAPH_BYTES_MAX: Final = 1_048_576
"""Of ciphertext."""
TEXT_BYTES_MAX: Final = 1_052
"""Of a line's ciphertext: eight blocks, nonce and tag."""
LINE_BYTES_MAX: Final = 2_560
LINES_BYTES_MAX: Final = ENTRIES_MAX * (LINE_BYTES_MAX + 1)

CaseNumber = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
"""Of a case in its scheme."""
GalleryNumber = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
"""Of a scheme's gallery: rises with each change, and never goes back."""
Reference = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9-]{0,31}-[0-9]{4,10}$(?!\n)")]
PhotographId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
PhotographSize = Literal["small", "portrait"]
Category = Literal["theft", "fraud", "criminal-damage", "disorder", "abuse-of-staff", "violence", "drugs"]
UnixSeconds = Annotated[int, msgspec.Meta(ge=0, le=2**40)]

_BEFORE_THE_END_S: Final = 2 * 3_600
"""A day of Europe/London ends at 23:00 or 24:00 UTC: two hours before is on that day."""


class GalleryError(DecodeError):
    """Something of a gallery that is malformed, or does not belong together."""


class PhotographEntry(Message, frozen=True, gc=False):
    """One size of the photograph of an entry, as ciphertext."""

    size: PhotographSize
    """For lists, or for one person."""
    sha256: HexDigest
    """Of the file ``HEX.bin``: a nonce of 12 bytes, ciphertext and tag of ChaCha20-Poly1305 (RFC 8439)."""
    file_bytes: Annotated[int, msgspec.Meta(ge=29, le=PHOTOGRAPH_BYTES_MAX)]
    """Size of the file."""


class EntryText(Message, frozen=True, gc=False):
    """What a line says in words, once it is opened. Two exclusions of one person bear the same reference."""

    reference: Reference
    """Of the person: ``HART-0042``. It goes over the air and telephones in place of a name."""
    category: Category
    """Of what the person did."""
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    """As shops are shown it; empty = name not known."""


class GalleryLine(Message, frozen=True, gc=False):
    """An exclusion that is in force and may be shown in the scheme, to all of its premises or to some."""

    case: CaseNumber
    """Number of the case in its scheme: no other line has it."""
    since: GalleryNumber
    """Number of the gallery with which it became what it is, whom it may be shown included."""
    not_before_s: UnixSeconds
    """Begin of the first day in Europe/London, Unix time: hidden before."""
    not_after_s: UnixSeconds
    """End of the last day in Europe/London, Unix time: from then on it is over, with or without contact."""
    text: Annotated[bytes, msgspec.Meta(min_length=28, max_length=TEXT_BYTES_MAX)]
    """``EntryText`` as JSON, under the line's text key."""
    photograph: PhotographId | None = None
    """Of what the photographs below are sizes: 32 hexadecimal digits, authenticated with each file; null = none."""
    photographs: Annotated[tuple[PhotographEntry, ...], msgspec.Meta(max_length=2)] = ()

    def __post_init__(self) -> None:
        if self.not_before_s >= self.not_after_s:
            raise ValueError("an entry ends before it begins")
        if len({one.size for one in self.photographs}) != len(self.photographs):
            raise ValueError("a size is listed twice")
        if (self.photograph is None) != (not self.photographs):
            raise ValueError("photographs without a number, or a number without photographs")

    @property
    def last_day(self) -> date:
        """The last day in Europe/London, as people say it: "banned until"."""
        return last_day_of(self.not_after_s)


def last_day_of(not_after_s: int) -> date:
    """The day in Europe/London that ends at this Unix time."""
    return datetime.fromtimestamp(max(0, not_after_s - _BEFORE_THE_END_S), UTC).date()


_read_line: Final = msgspec.json.Decoder(GalleryLine).decode


class Lines(Mapping[int, GalleryLine]):
    """All lines of a gallery, by case in ascending order, with the bytes of each. Unchangeable.

    Attributes:
        data: the file.
    """

    __slots__ = ("_encoded", "_lines", "data")

    def __init__(self, lines: Mapping[int, GalleryLine], encoded: Mapping[int, bytes]) -> None:
        order = sorted(lines)
        self._lines = {case: lines[case] for case in order}
        self._encoded = {case: encoded[case] for case in order}
        self.data = b"".join(b"%b\n" % one for one in self._encoded.values())

    @classmethod
    def of(cls, lines: Iterable[GalleryLine]) -> Lines:
        """From lines of our own.

        Raises:
            GalleryError: no reader would accept it: too many, a field out of bounds, or a case twice.
        """
        return parse_lines(b"".join(b"%b\n" % msgspec.json.encode(one) for one in sorted(lines, key=_case)))

    def __getitem__(self, case: int) -> GalleryLine:
        return self._lines[case]

    def __iter__(self) -> Iterator[int]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return sha256(self.data).hexdigest()

    def ciphertexts(self) -> frozenset[str]:
        """SHA-256 of every photograph's file that they name."""
        return frozenset(one.sha256 for line in self._lines.values() for one in line.photographs)

    def after(self, number: int) -> bytes:
        """The lines that became what they are after this number of the gallery, as in the file."""
        return b"".join(b"%b\n" % self._encoded[case] for case, line in self._lines.items() if line.since > number)

    def changed(self, fresh: Lines, gone: Iterable[int]) -> Lines:
        """These with some of them replaced or added, and some gone. The caller compares the digest.

        Args:
            fresh: as :meth:`after` gives them.
            gone: numbers of cases; those that are not there are gone already.

        Raises:
            GalleryError: there are too many.
        """
        without = frozenset(gone)
        left = {case: line for case, line in self._lines.items() if case not in without} | fresh._lines
        if len(left) > ENTRIES_MAX:
            raise GalleryError("gallery lines", detail=f"{len(left)} lines")
        return Lines(left, self._encoded | fresh._encoded)


NO_LINES: Final = Lines({}, {})


def parse_lines(data: bytes) -> Lines:
    """Read the file, or a part of its lines. Whether a head of ours names it is the caller's question.

    Raises:
        GalleryError: too large, malformed, out of order, or a case twice.
    """
    count = data.count(b"\n")
    if len(data) > LINES_BYTES_MAX or count > ENTRIES_MAX:
        raise GalleryError("gallery lines", detail=f"{len(data)} bytes, {count} lines")
    *rows, rest = data.split(b"\n")
    if rest:
        raise GalleryError("gallery lines", len(data), "cut short")
    lines: dict[int, GalleryLine] = {}
    encoded: dict[int, bytes] = {}
    last = 0
    for row in rows:
        line = _read(row)
        if line.case <= last:
            raise GalleryError("gallery lines", detail=f"case {line.case} after case {last}")
        last = line.case
        lines[last], encoded[last] = line, row
    return Lines(lines, encoded)


def _read(row: bytes) -> GalleryLine:
    if len(row) > LINE_BYTES_MAX:
        raise GalleryError("gallery lines", detail=f"a line of {len(row)} bytes")
    try:
        return _read_line(row)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery lines", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e


def _case(line: GalleryLine) -> int:
    return line.case
