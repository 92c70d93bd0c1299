"""The one clock of the drivers."""

from __future__ import annotations

import time


def now_ms() -> int:
    """This boot's clock, whole milliseconds."""
    return time.monotonic_ns() // 1_000_000
