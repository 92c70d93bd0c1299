"""The machine's monotonic clocks, which never jump."""

from __future__ import annotations

import time


def monotonic_ms() -> int:
    """Whole milliseconds since boot; the same for every program on the machine."""
    return time.monotonic_ns() // 1_000_000


def boottime_ms() -> int:
    """The same with the time that the machine slept, for whatever must not last longer than it says."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
