"""The clock that never jumps."""

from __future__ import annotations

import time


def monotonic_ms() -> int:
    """This boot's clock, whole milliseconds; the same for every program on the machine."""
    return time.monotonic_ns() // 1_000_000
