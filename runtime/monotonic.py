"""The machine's monotonic clock, which never jumps."""

from __future__ import annotations

import time


def monotonic_ms() -> int:
    """Whole milliseconds since boot; the same for every program on the machine."""
    return time.monotonic_ns() // 1_000_000
