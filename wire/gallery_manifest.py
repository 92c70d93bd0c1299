"""The gallery's manifest: who is excluded in a scheme, whom a shop may be shown, and until when.

One for each scheme, numbered and signed by the office like its snapshots (:mod:`wire.snapshots`). The file
``gallery-1-42.json`` is number 42 of scheme 1. It replaces the one before as a whole: what is not listed is not shown
any more. Photographs are files of ciphertext beside it, named by their SHA-256; their keys are not here.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

from wire.entry_lists import EntryList
from wire.errors import SnapshotError
from wire.messages import Count, Message, Moment, SchemeNumber, settle_moments
from wire.signing import PublicKey, SigningKey
from wire.snapshots import AuditHead, HexDigest, PremisesId, Town, open_named, seal_named

ENTRIES_MAX: Final = 2_000
LISTED_MAX: Final = 500
"""Premises of one entry that lists them."""
PHOTOGRAPH_BYTES_MAX: Final = 1_048_576
"""Of ciphertext."""
Reference = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9-]{0,31}-[0-9]{4,10}$(?!\n)")]
PhotographId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
PhotographSize = Literal["small", "portrait"]
Category = Literal["theft", "fraud", "criminal-damage", "disorder", "abuse-of-staff", "violence", "drugs"]
UnixSeconds = Annotated[int, msgspec.Meta(ge=0, le=2**40)]

_SCHEME_MAX: Final = 0xFFFF
_FILE_NAME: Final = re.compile(r"gallery-([1-9][0-9]{0,4})-([1-9][0-9]{0,15})\.json")
_CIPHERTEXT_NAME: Final = re.compile(r"([0-9a-f]{64})\.bin")


class PhotographEntry(Message, frozen=True):
    """One size of the photograph of an entry, as ciphertext."""

    size: PhotographSize
    """For lists, or for one person."""
    sha256: HexDigest
    """Of the file ``HEX.bin``: a nonce of 12 bytes, ciphertext and tag of ChaCha20-Poly1305 (RFC 8439)."""
    file_bytes: Annotated[int, msgspec.Meta(ge=29, le=PHOTOGRAPH_BYTES_MAX)]
    """Size of the file."""


class GalleryEntry(Message, frozen=True):
    """An exclusion that is in force and may be shown. Two of one person bear the same reference."""

    case: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    """Number of the case in its scheme: no other entry has it."""
    reference: Reference
    """Of the person: ``HART-0042``. It goes over the air and telephones in place of a name."""
    category: Category
    """Of what the person did."""
    not_before_s: UnixSeconds
    """Begin of the first day in Europe/London, Unix time: hidden before."""
    not_after_s: UnixSeconds
    """End of the last day in Europe/London, Unix time: from then on it is over, with or without contact."""
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    """As shops are shown it; empty = name not known."""
    premises: Annotated[tuple[PremisesId, ...], msgspec.Meta(min_length=1, max_length=LISTED_MAX)] | None = None
    """Numbers of the premises that may be shown it; absent or null = all of the scheme, later joiners too."""
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
        if self.premises is not None and len(set(self.premises)) != len(self.premises):
            raise ValueError("a premises is listed twice")


class GalleryManifest(Message, frozen=True):
    """All that is shown in a scheme now. Without entries nothing is: so it is while the register is off."""

    scheme: SchemeNumber
    """As in the directory."""
    number: Count
    """Never goes back; the scheme's own."""
    made_at: Moment
    """By the office's clock."""
    audit: AuditHead
    entries: Annotated[tuple[GalleryEntry, ...], msgspec.Meta(max_length=ENTRIES_MAX)] = ()
    """Whoever is not listed is not shown."""

    def __post_init__(self) -> None:
        settle_moments(self, "made_at")
        if len({entry.case for entry in self.entries}) != len(self.entries):
            raise ValueError("a case is listed twice")

    def ciphertexts(self) -> frozenset[str]:
        """SHA-256 of every file that it names."""
        return frozenset(one.sha256 for entry in self.entries for one in entry.photographs)


_LIST: Final = EntryList(GalleryManifest, "entries", GalleryEntry, ENTRIES_MAX)


def seal_manifest(manifest: GalleryManifest, town: Town, key: SigningKey) -> bytes:
    """Sign and wrap a manifest: the bytes of its file.

    Raises:
        EncodeError: no reader would accept it: too large, a field out of bounds, or it contradicts itself.
    """
    return seal_named(manifest_name(manifest.scheme), manifest, town, key, _LIST.read)


def open_manifest(data: bytes, scheme: int, town: Town, keys: tuple[PublicKey, ...]) -> GalleryManifest:
    """Verify and read a manifest. Whether its number is higher than the one held is the caller's question.

    Args:
        data: the file.
        scheme: whose; its name, which is signed, must say so.
        town: ours.
        keys: of offices that the signed directory trusts; none = nothing is accepted.

    Raises:
        SnapshotError: too large, malformed, of another scheme or town, not signed by one of ``keys``, or contradicting
            itself.
    """
    manifest = open_named(data, manifest_name(scheme), town, keys, _LIST.read)
    if manifest.scheme != scheme:
        raise SnapshotError("snapshot name", detail=f"of scheme {manifest.scheme}, not {scheme}")
    return manifest


def manifest_name(scheme: int) -> str:
    """``1`` → ``"gallery-1"``."""
    return f"gallery-{scheme}"


def manifest_file(scheme: int, number: int) -> str:
    """``(1, 42)`` → ``"gallery-1-42.json"``."""
    return f"{manifest_name(scheme)}-{number}.json"


def parse_manifest_file(text: str) -> tuple[int, int] | None:
    """``"gallery-1-42.json"`` → ``(1, 42)``; ``None`` if it is no manifest's name."""
    match = _FILE_NAME.fullmatch(text)
    return None if match is None or int(match[1]) > _SCHEME_MAX else (int(match[1]), int(match[2]))


def ciphertext_file(sha256: str) -> str:
    """Name of the file of a photograph's ciphertext."""
    return f"{sha256}.bin"


def parse_ciphertext_file(text: str) -> str | None:
    """SHA-256 that a file's name gives; ``None`` if it is no ciphertext's name."""
    match = _CIPHERTEXT_NAME.fullmatch(text)
    return None if match is None else match[1]
