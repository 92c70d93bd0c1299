"""Reads what the office says is new: verified, put together with what is held, keys tried. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from gallery.arrivals import Parcel, core_lines
from gallery.core.events import GalleryTold
from gallery.core.holdings import Key
from wire.gallery_contact import GalleryChange
from wire.gallery_head import GalleryHead, merge, open_head, open_lines
from wire.gallery_keys import Holder, KeyRow, open_row
from wire.gallery_lines import GalleryError, Lines
from wire.hpke import SealError
from wire.ids import NodeId
from wire.signing import PublicKey
from wire.snapshots import Town


class Own(Struct, frozen=True):
    """Who we are.

    Attributes:
        key: for what is sealed to this unit.
    """

    town: Town
    node: NodeId
    key: X25519PrivateKey


class News(Struct, frozen=True):
    """A newer gallery: for the core, and what the disk needs beside it."""

    told: GalleryTold
    parcel: Parcel


def head_of(change: GalleryChange, own: Own, office_keys: tuple[PublicKey, ...]) -> GalleryHead:
    """The head of a change.

    Raises:
        SnapshotError: it is malformed, another town's or scheme's, or not signed by one of these offices.
    """
    return open_head(change.head_bytes, change.scheme, own.town, office_keys)


def read_change(change: GalleryChange, head: GalleryHead, held: Lines, own: Own) -> News | None:
    """What comes of a change.

    Args:
        change: as it came.
        head: its own, verified.
        held: lines that we have of the scheme.
        own: ourselves.

    Returns:
        ``None`` = lines and rows have to be fetched whole: it says so, or together with what is held it is not what
        the head names.
    """
    if change.after is None:
        return None
    try:
        if change.after:
            lines = merge(held, change.after, head, change.line_bytes, change.gone)
        else:
            lines = open_lines(change.line_bytes, head)
    except GalleryError:
        return None
    return _news(head, lines, change.keys, change.after, own)


def read_whole(head: GalleryHead, lines: bytes, rows: Iterable[KeyRow], own: Own) -> News:
    """What comes of files.

    Raises:
        GalleryError: they are not what the head names.
    """
    return _news(head, open_lines(lines, head), rows, 0, own)


def _news(head: GalleryHead, lines: Lines, rows: Iterable[KeyRow], after: int, own: Own) -> News:
    holder = Holder(own.town, head.scheme, own.node)
    opened: dict[Key, KeyRow] = {}
    unopened: set[int] = set()
    for row in rows:
        line = lines.get(row.case)
        if line is None or line.since <= after:
            continue
        try:
            open_row(row, line, holder, own.key)
        except SealError:
            unopened.add(row.case)
        else:
            opened[row.case, row.since] = row
    told = GalleryTold(
        head.scheme, head.number, head.lease_s, core_lines(lines), frozenset(opened), after, frozenset(unopened)
    )
    return News(told, Parcel(head, lines, opened))
