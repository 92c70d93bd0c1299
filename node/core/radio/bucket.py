"""A token bucket: limits work that strangers can cause."""

from __future__ import annotations

from typing import Final

from node.core.radio_state import Bucket

_WHOLE: Final = 1_000


def spend(bucket: Bucket, now_ms: int, size: int, refill_ms: int) -> Bucket | None:
    """The bucket with one token less, or ``None`` if none is left.

    Args:
        bucket: as last spent from.
        now_ms: now.
        size: how many at once.
        refill_ms: one more comes back in this time.
    """
    gained_milli = _WHOLE * max(0, now_ms - bucket.filled_ms) // refill_ms
    tokens_milli = min(_WHOLE * size, bucket.tokens_milli + gained_milli)
    return None if tokens_milli < _WHOLE else Bucket(tokens_milli - _WHOLE, now_ms)
