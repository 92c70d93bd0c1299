"""How often something may be done: a bucket for each key, refilled by time, bounded in number."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from msgspec import field

from central.core.undo import Record, Table

K = TypeVar("K", bound=Hashable)
KEYS_MAX: Final = 4_096


class _Bucket(Record):
    tokens: float
    at: datetime


class Budget(Record, Generic[K]):
    """``burst`` at once, and one more each ``every``, for each key."""

    _burst: int
    _every: timedelta
    _buckets: Table[K, _Bucket] = field(default_factory=Table)

    def take(self, key: K, now_at: datetime) -> bool:
        """Take one, if there is one."""
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now_at)
        # The last used is the last forgotten; a key that comes back after the bound has its burst again.
        self._buckets[key] = bucket
        if len(self._buckets) > KEYS_MAX:
            del self._buckets[next(iter(self._buckets))]
        # A clock that was set back gives nothing and takes nothing.
        passed = max(timedelta(), now_at - bucket.at)
        bucket.tokens, bucket.at = min(self._burst, bucket.tokens + passed / self._every), now_at
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
