"""Wall time, and whether it may be believed (F5): a Raspberry Pi has no clock that survives a power cut.

The core weighs central's time beside it.
"""

from __future__ import annotations

import time
from typing import Final

from node.core.events import ClockRead
from runtime.clock_proof import is_synchronised

READ_EVERY_MS: Final = 60_000
JUMP_MS: Final = 1_000


class WallClock:
    """Reads the wall clock when needed."""

    def __init__(self, *, is_trusted: bool) -> None:
        """``is_trusted``: believe the clock without proof (battery-backed)."""
        self._is_trusted = is_trusted
        self._read_ms: int | None = None
        self._offset_ms = 0

    @property
    def due_ms(self) -> int:
        """Latest monotonic time at which :meth:`look` returns a reading."""
        return 0 if self._read_ms is None else self._read_ms + READ_EVERY_MS

    def look(self, now_ms: int) -> ClockRead | None:
        """A reading: the first time, every minute, and when the wall clock has jumped against the monotonic one."""
        offset_ms = time.time_ns() // 1_000_000 - now_ms
        has_jumped = abs(offset_ms - self._offset_ms) > JUMP_MS
        if self._read_ms is not None and now_ms < self.due_ms and not has_jumped:
            return None
        self._read_ms, self._offset_ms = now_ms, offset_ms
        return self.read()

    def read(self) -> ClockRead:
        """A reading now."""
        wall_at_s = int(time.time())
        try:
            utc_offset_s = time.localtime(wall_at_s).tm_gmtoff
        except (OverflowError, OSError, ValueError):
            utc_offset_s = 0
        return ClockRead(wall_at_s, self._is_trusted or is_synchronised(), utc_offset_s)
