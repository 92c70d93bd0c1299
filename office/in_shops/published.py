"""What the newest gallery of a scheme holds, as the publisher has put it into the folder of snapshots.

Its signature is the nodes' business: here nothing is decided by it, it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from office.gallery.holders import Holders, HoldersError, decode_holders, holders_file
from wire.gallery_head import head_file, lines_file, parse_head_file


class PublishedError(Exception):
    """A gallery cannot be read; one sentence without a full stop."""


class Published(Struct, frozen=True):
    """A gallery.

    Attributes:
        number: its own; never goes back.
        at_s: when it was written, Unix time.
        lease_s: so long it is shown without contact.
        since: by case, the number of the gallery with which it became what it is.
        holders: whom each may be shown, and what is gone since when.
    """

    number: int
    at_s: int
    lease_s: int
    since: Mapping[int, int]
    holders: Holders

    def gone_since(self, case: int) -> int | None:
        """The number from which on a case is in no gallery; ``None`` = it is in this one, or that is not known."""
        return next((one.since for one in self.holders.gone if one.case == case), None)


class _Head(Struct):
    lease_s: int


class _File(Struct):
    snapshot: _Head


class _Line(Struct):
    case: int
    since: int


_read_head: Final = msgspec.json.Decoder(_File).decode
_read_lines: Final = msgspec.json.Decoder(_Line).decode_lines


def newest(folder: Path) -> dict[int, Published]:
    """By number of the scheme.

    Raises:
        PublishedError: one cannot be read: what its shops hold would look right.
    """
    try:
        return _newest(folder)
    except FileNotFoundError:
        pass  # One was replaced by the next in this moment.
    except (OSError, msgspec.MsgspecError, HoldersError) as e:
        raise PublishedError(f"what was published cannot be read: {e}") from e
    try:
        return _newest(folder)
    except (OSError, msgspec.MsgspecError, HoldersError) as e:
        raise PublishedError(f"what was published cannot be read: {e}") from e


def _newest(folder: Path) -> dict[int, Published]:
    numbers: dict[int, int] = {}
    for scheme, number in filter(None, (parse_head_file(path.name) for path in folder.iterdir())):
        numbers[scheme] = max(numbers.get(scheme, 0), number)
    return {
        scheme: _read(folder, scheme, number, int((folder / head_file(scheme, number)).stat().st_mtime))
        for scheme, number in numbers.items()
    }


@lru_cache(maxsize=32)
def _read(folder: Path, scheme: int, number: int, at_s: int) -> Published:
    """Once for each gallery: one of ten thousand people takes longer than a page may."""
    head = _read_head((folder / head_file(scheme, number)).read_bytes())
    lines = _read_lines((folder / lines_file(scheme, number)).read_bytes())
    holders = decode_holders((folder / holders_file(scheme, number)).read_bytes(), scheme, number)
    return Published(number, at_s, head.snapshot.lease_s, {one.case: one.since for one in lines}, holders)
