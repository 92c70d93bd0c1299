"""Galleries as they came: verified, put together, and not on the disk yet.

The core decides by numbers alone. What the disk needs beside them lies here until it has it. For any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from msgspec import Struct

from gallery.core.holdings import Key, Line
from wire.gallery_head import GalleryHead
from wire.gallery_keys import KeyRow
from wire.gallery_lines import Lines


class Parcel(Struct, frozen=True):
    """A gallery, as it came.

    Attributes:
        head: verified.
        lines: those that it names, all of them.
        rows: that came with it and open, by the key that they hold.
    """

    head: GalleryHead
    lines: Lines
    rows: Mapping[Key, KeyRow]


class Arrivals:
    """Those that came since the disk took one of their scheme."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parcels: dict[int, dict[int, Parcel]] = {}

    def add(self, parcel: Parcel) -> None:
        """It has come. Of a number that came before, the rows of both count."""
        with self._lock:
            of_scheme = self._parcels.setdefault(parcel.head.scheme, {})
            before = of_scheme.get(parcel.head.number)
            rows = parcel.rows if before is None else {**before.rows, **parcel.rows}
            of_scheme[parcel.head.number] = Parcel(parcel.head, parcel.lines, rows)

    def lines(self, scheme: int, number: int) -> Lines | None:
        """Of a gallery that came; ``None`` = it is not here."""
        with self._lock:
            parcel = self._parcels.get(scheme, {}).get(number)
        return None if parcel is None else parcel.lines

    def rows(self, scheme: int, keys: Iterable[Key]) -> dict[Key, KeyRow]:
        """Those of these keys that came; the newest."""
        wanted = frozenset(keys)
        with self._lock:
            parcels = sorted(self._parcels.get(scheme, {}).items())
        return {key: row for _, parcel in parcels for key, row in parcel.rows.items() if key in wanted}

    def forget(self, scheme: int, number: int) -> None:
        """The disk has this number, or the scheme was left: nothing up to it is needed here any more."""
        with self._lock:
            of_scheme = self._parcels.get(scheme, {})
            for one in [held for held in of_scheme if held <= number]:
                del of_scheme[one]


def core_lines(lines: Lines) -> tuple[Line, ...]:
    """As the core has them: what of each is not sealed."""
    return tuple(
        Line(
            one.case,
            one.since,
            one.not_before_s,
            one.not_after_s,
            tuple(photograph.sha256 for photograph in one.photographs),
        )
        for one in lines.values()
    )
