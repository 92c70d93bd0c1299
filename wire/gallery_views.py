"""The view log: which member of staff was shown whom, and when. Each record holds the digest of the one before.

The chain of a node begins with its own name, so that no other node's passes for it. Two that go on from one record
differently are two machines with one identity: a copied card. Records are kept and sent in their bytes, each with a
line feed; a field that a reader does not know yet counts in the digest all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Struct

from wire.gallery_lines import GalleryError, UnixSeconds
from wire.ids import NodeId, node_text
from wire.limits import DETAIL_CHARS_MAX
from wire.messages import Count, Message, Slug
from wire.snapshots import HexDigest, Town
from wire.text import display_text

VIEWS_MAX: Final = 500
"""Records that are sent at once."""
VIEW_BYTES_MAX: Final = 512
VIEWS_BYTES_MAX: Final = VIEWS_MAX * (VIEW_BYTES_MAX + 1)

ViewNumber = Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class ViewRecord(Message, frozen=True, kw_only=True, gc=False):
    """One view."""

    n: ViewNumber
    """Number of the record on this node: 1, 2, 3 …"""
    at_s: UnixSeconds
    """Unix time by the node's clock."""
    is_proven: bool = False
    """Whether that clock was proven right."""
    staff: Count = 0
    """Number of the member of staff who was signed in; 0 = nobody, as on the unit's own panel."""
    case: Count = 0
    """Whose; 0 = nobody's in particular, as of a list."""
    scheme: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] = 0
    """Of the case; 0 = of none in particular."""
    kind: Slug
    """What was shown: ``list``, ``search``, ``person``, ``photograph``, ``panel``. A reader keeps what it does not
    know."""
    before: HexDigest
    """Digest of the record before; of the first one, that of the node's name."""


class ViewHead(Message, frozen=True, gc=False):
    """Where a chain has come to."""

    n: Count
    """Number of its last record; 0 = there is none."""
    digest: HexDigest
    """Of that record."""


class View(Struct, frozen=True):
    """A record and its bytes."""

    record: ViewRecord
    data: bytes
    digest: str


class Continued(Struct, frozen=True):
    """How sent records go on from what was known.

    Attributes:
        new: to be kept, in order. Those of a gap come late, and end nothing.
        head: of the chain, with them.
        fault: ``fork`` = the node has said otherwise before, and none of these is part of the chain; ``gap`` = records
            between are missing, and those sent are kept all the same; empty = neither.
        at: number of the first record that differs or is missing; 0 without a fault.
    """

    new: tuple[View, ...]
    head: ViewHead
    fault: Literal["", "fork", "gap"] = ""
    at: int = 0


_read_record: Final = msgspec.json.Decoder(ViewRecord).decode


def no_views(town: Town, node: NodeId) -> ViewHead:
    """The chain of a node that has shown nothing yet."""
    return ViewHead(n=0, digest=_digest(f"{town.text}\n{node_text(node)}".encode()))


def write_view(record: ViewRecord) -> View:
    """A record as it is kept.

    Raises:
        GalleryError: no reader would accept it.
    """
    return _read(msgspec.json.encode(record))


def head_of(view: View) -> ViewHead:
    """Of the chain that ends with it."""
    return ViewHead(n=view.record.n, digest=view.digest)


def read_views(data: bytes) -> tuple[View, ...]:
    """Records as they are sent: one after the other, each holding the digest of the one before.

    Raises:
        GalleryError: too many, malformed, or no chain.
    """
    if len(data) > VIEWS_BYTES_MAX or data.count(b"\n") > VIEWS_MAX or data[-1:] not in {b"", b"\n"}:
        raise GalleryError("gallery views", detail=f"{len(data)} bytes")
    views = tuple(map(_read, data.split(b"\n")[:-1]))
    for before, view in itertools.pairwise(views):
        if (view.record.n, view.record.before) != (before.record.n + 1, before.digest):
            raise GalleryError("gallery views", detail=f"record {view.record.n} does not follow {before.record.n}")
    return views


def continue_chain(head: ViewHead, views: tuple[View, ...], digest_at: Callable[[int], str | None]) -> Continued:
    """Compare what a node sends with what it has sent before.

    Args:
        head: of what is kept.
        views: one after the other, as :func:`read_views` gives them.
        digest_at: of the record of a number that is kept; ``None`` = there is none of it.
    """
    beyond = tuple(view for view in views if view.record.n > head.n)
    known = [(view, digest_at(view.record.n)) for view in views[: len(views) - len(beyond)]]
    for view, digest in known:
        if digest not in {None, view.digest}:
            return Continued((), head, "fork", view.record.n)
    # Into a gap: one record far ahead, as a copied card may send, must not make the others of no account.
    late = tuple(view for view, digest in known if digest is None)
    if not beyond:
        return Continued(late, head)
    first, now = beyond[0].record, head_of(beyond[-1])
    if first.n == head.n + 1 and first.before != head.digest:
        return Continued((), head, "fork", first.n)
    if first.n > head.n + 1:
        return Continued(beyond, now, "gap", head.n + 1)
    return Continued(late + beyond, now)


def is_forked(head: ViewHead, told: ViewHead, digest_at: Callable[[int], str | None]) -> bool:
    """Whether where a node says that its log has come to contradicts what is kept of it."""
    known = head.digest if told.n == head.n else digest_at(told.n)
    return told.n <= head.n and known is not None and known != told.digest


def _read(data: bytes) -> View:
    if len(data) > VIEW_BYTES_MAX or b"\n" in data:
        raise GalleryError("gallery views", detail=f"a record of {len(data)} bytes")
    try:
        return View(_read_record(data), data, _digest(data))
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery views", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e


def _digest(data: bytes) -> str:
    return sha256(b"watchlink/1/views\n" + data).hexdigest()
