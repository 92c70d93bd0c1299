"""Persistent maps: they share unchanged rows, so that states are cheap to keep, compare and throw away.

A step must neither change the state it was given nor copy ten thousand outbox rows. So rows lie in buckets: setting a
row copies its bucket (about a hundred rows) and the list of buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Generic, TypeVar

from wire.ids import FrameId

V = TypeVar("V")
_LEDGER_SHIFT: Final = 7
_SHELF_MASK: Final = 0xFF
_MIX: Final = 0x9E3779B1


class Ledger(Generic[V]):
    """Integer keys, readable in order: own frames by counter. Immutable; ``put`` and ``drop`` return a new one."""

    __slots__ = ("_buckets", "_size")

    def __init__(self, rows: Iterable[tuple[int, V]] = ()) -> None:
        self._buckets: Mapping[int, Mapping[int, V]] = {}
        buckets: dict[int, dict[int, V]] = {}
        for key, value in rows:
            buckets.setdefault(key >> _LEDGER_SHIFT, {})[key] = value
        self._buckets = buckets
        self._size = sum(map(len, buckets.values()))

    def __len__(self) -> int:
        return self._size

    def __contains__(self, key: int) -> bool:
        return key in self._buckets.get(key >> _LEDGER_SHIFT, ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and self._buckets == other._buckets

    __hash__ = None  # type: ignore[assignment]

    def get(self, key: int) -> V | None:
        """The row, or ``None``."""
        bucket = self._buckets.get(key >> _LEDGER_SHIFT)
        return None if bucket is None else bucket.get(key)

    def put(self, key: int, value: V) -> Ledger[V]:
        """A copy with this row added or replaced."""
        number = key >> _LEDGER_SHIFT
        old = self._buckets.get(number, {})
        return self._with(number, {**old, key: value}, self._size + (key not in old))

    def drop(self, key: int) -> Ledger[V]:
        """A copy without this row; itself if there is none."""
        if key not in self:
            return self
        number = key >> _LEDGER_SHIFT
        left = {k: v for k, v in self._buckets[number].items() if k != key}
        return self._with(number, left, self._size - 1)

    def first_from(self, key: int) -> tuple[int, V] | None:
        """The row with the lowest key at or above ``key``."""
        bucket = self._buckets.get(key >> _LEDGER_SHIFT, {})
        found = min((k for k in bucket if k >= key), default=None)
        if found is None:
            later = min((n for n in self._buckets if n > key >> _LEDGER_SHIFT), default=None)
            if later is None:
                return None
            bucket = self._buckets[later]
            found = min(bucket)
        return found, bucket[found]

    def oldest(self) -> Iterator[tuple[int, V]]:
        """Rows by rising key."""
        for number in sorted(self._buckets):
            yield from sorted(self._buckets[number].items(), key=_key)

    def newest(self) -> Iterator[tuple[int, V]]:
        """Rows by falling key."""
        for number in sorted(self._buckets, reverse=True):
            yield from sorted(self._buckets[number].items(), key=_key, reverse=True)

    def _with(self, number: int, bucket: Mapping[int, V], size: int) -> Ledger[V]:
        made: Ledger[V] = Ledger.__new__(Ledger)
        buckets = dict(self._buckets)
        if bucket:
            buckets[number] = bucket
        else:
            del buckets[number]
        made._buckets = buckets
        made._size = size
        return made


class Shelf(Generic[V]):
    """Frame ids of many senders, unordered: the inbox. Immutable; ``put`` returns a new one."""

    __slots__ = ("_buckets", "_size")

    def __init__(self, rows: Iterable[tuple[FrameId, V]] = ()) -> None:
        buckets: dict[int, dict[FrameId, V]] = {}
        for key, value in rows:
            buckets.setdefault(_shelf(key), {})[key] = value
        self._buckets: Mapping[int, Mapping[FrameId, V]] = buckets
        self._size = sum(map(len, buckets.values()))

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shelf) and self._buckets == other._buckets

    __hash__ = None  # type: ignore[assignment]

    def get(self, key: FrameId) -> V | None:
        """The row, or ``None``."""
        bucket = self._buckets.get(_shelf(key))
        return None if bucket is None else bucket.get(key)

    def put(self, key: FrameId, value: V) -> Shelf[V]:
        """A copy with this row added or replaced."""
        number = _shelf(key)
        old = self._buckets.get(number, {})
        made: Shelf[V] = Shelf.__new__(Shelf)
        made._buckets = {**self._buckets, number: {**old, key: value}}
        made._size = self._size + (key not in old)
        return made


def _key(row: tuple[int, object]) -> int:
    return row[0]


def _shelf(key: FrameId) -> int:
    return (key.node * _MIX + key.counter) & _SHELF_MASK
