"""Rows that can be destroyed: each has a slot of one size, is overwritten where it stands, and never moves.

SQLite's ``secure_delete`` overwrites a deleted row, but not the copies that it leaves behind in a page when it moves
rows to another, as more are added or taken away between them (measured: a piece of one row in 1,500). So slots are only
added at the end, and a row that is destroyed leaves its slot, full of zeros, to the next one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final, Literal

_LENGTH_BYTES: Final = 2


class Slots:
    """A table of slots. What writes belongs into a transaction.

    Args:
        table: which.
        slot_bytes: size of each.
    """

    def __init__(self, table: Literal["key_slots", "staff_slots"], slot_bytes: int) -> None:
        self._read = f"SELECT slot, data FROM {table}"  # noqa: S608 - one of two names
        self._all = f"SELECT slot FROM {table}"  # noqa: S608
        self._overwrite = f"UPDATE {table} SET data = ? WHERE slot = ?"  # noqa: S608
        self._add = f"INSERT INTO {table} (slot, data) SELECT coalesce(max(slot), 0) + 1, ? FROM {table}"  # noqa: S608
        self._nothing = bytes(slot_bytes)

    def read(self, db: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
        """Slot and contents of each that holds something."""
        for slot, filled in db.execute(self._read):
            data = self.contents(filled)
            if data:
                yield slot, data

    def contents(self, filled: bytes) -> bytes:
        """What a slot holds; empty = nothing, or it is damaged."""
        length = int.from_bytes(filled[:_LENGTH_BYTES], "big")
        is_sound = len(filled) == len(self._nothing) >= _LENGTH_BYTES + length
        return filled[_LENGTH_BYTES : _LENGTH_BYTES + length] if is_sound else b""

    def put(self, db: sqlite3.Connection, data: bytes, free: Iterator[int]) -> int:
        """Into a free slot, or a new one. Returns which.

        Raises:
            ValueError: it is too long for a slot.
        """
        filled = self._filled(data)
        slot = next(free, None)
        if slot is None:
            return int(db.execute(self._add, (filled,)).lastrowid or 0)
        db.execute(self._overwrite, (filled, slot))
        return slot

    def replace(self, db: sqlite3.Connection, slot: int, data: bytes) -> None:
        """In place of what is there. Raises as :meth:`put`."""
        db.execute(self._overwrite, (self._filled(data), slot))

    def wipe(self, db: sqlite3.Connection, slots: Iterable[int]) -> None:
        """Zeros in place of what is there."""
        db.executemany(self._overwrite, [(self._nothing, slot) for slot in slots])

    def free(self, db: sqlite3.Connection, used: frozenset[int]) -> Iterator[int]:
        """Slots that hold nothing, beside those that are ``used``."""
        for (slot,) in db.execute(self._all).fetchall():
            if slot not in used:
                yield slot

    def _filled(self, data: bytes) -> bytes:
        filled = len(data).to_bytes(_LENGTH_BYTES, "big") + data
        if not data or len(filled) > len(self._nothing):
            raise ValueError(f"{len(data)} bytes for a slot")
        return filled.ljust(len(self._nothing), b"\0")
