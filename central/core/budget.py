"""How often something may be done: a bucket per key, refilled over time, bounded in number."""

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
    """For each key ``burst`` at once, and one more every ``every``."""

    _burst: int
    _every: timedelta
    _buckets: Table[K, _Bucket] = field(default_factory=Table)

    def take(self, key: K, now_at: datetime) -> bool:
        """Take one of ``key``'s; returns whether there was one."""
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now_at)
        # The last used is the last forgotten; a forgotten key that comes back has its whole burst again.
        self._buckets[key] = bucket
        if len(self._buckets) > KEYS_MAX:
            del self._buckets[next(iter(self._buckets))]
        # A clock set back neither gives nor takes.
        passed = max(timedelta(), now_at - bucket.at)
        bucket.tokens, bucket.at = min(self._burst, bucket.tokens + passed / self._every), now_at
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
