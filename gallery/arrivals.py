"""Galleries as they came: verified, put together, and not on the disk yet.

The core decides by numbers alone. What the disk needs beside them lies here until it has it. For any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from sys import intern
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from gallery.core.holdings import Key, Line
from wire.gallery_head import GalleryHead
from wire.gallery_keys import KeyRow
from wire.gallery_lines import Lines

_KEPT: Final = 2
NO_ROWS: Final[Mapping[Key, KeyRow]] = MappingProxyType({})


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
    """The newest two of each scheme that came since the disk took one: one may come while the one before is kept.

    A disk that takes nothing for a week makes this no larger: of those before only the rows that are still good stay.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parcels: dict[int, dict[int, Parcel]] = {}

    def add(self, parcel: Parcel) -> None:
        """It has come. Of a number that came before, the rows of both count."""
        number = parcel.head.number
        with self._lock:
            of_scheme = self._parcels.setdefault(parcel.head.scheme, {})
            before = of_scheme.get(number)
            of_scheme[number] = parcel if before is None else _with_rows(parcel, before.rows)
            for older in sorted(of_scheme)[:-_KEPT]:
                gone = of_scheme.pop(older)
                oldest = min(of_scheme)
                of_scheme[oldest] = _with_rows(of_scheme[oldest], gone.rows)

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

    def forget(self, scheme: int, number: int, rows: Mapping[Key, KeyRow] = NO_ROWS) -> None:
        """The disk has this number, or the scheme was left: nothing up to it is needed here any more.

        Args:
            scheme: whose.
            number: of the gallery.
            rows: that the disk has taken. Others of this very number, which came meanwhile, stay.
        """
        with self._lock:
            of_scheme = self._parcels.get(scheme, {})
            for one in [held for held in of_scheme if held <= number]:
                parcel = of_scheme.pop(one)
                left = {key: row for key, row in parcel.rows.items() if rows.get(key) != row}
                if one == number and rows and left:
                    of_scheme[one] = Parcel(parcel.head, parcel.lines, left)


def _with_rows(parcel: Parcel, rows: Mapping[Key, KeyRow]) -> Parcel:
    """With rows that came earlier, of lines that are the same."""
    lines = parcel.lines
    good = {key: row for key, row in rows.items() if key[0] in lines and lines[key[0]].since == key[1]}
    return Parcel(parcel.head, lines, {**good, **parcel.rows})


def core_lines(lines: Lines) -> tuple[Line, ...]:
    """As the core has them: what of each is not sealed."""
    return tuple(
        Line(
            one.case,
            one.since,
            one.not_before_s,
            one.not_after_s,
            # The files on the card have the same names: of each there is one in memory.
            tuple(intern(photograph.sha256) for photograph in one.photographs),
        )
        for one in lines.values()
    )
