"""Central's own frame counters: reserved on disk in blocks before use, and raised above those that nodes have seen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.core.restored import COUNTERS_MAX
from runtime.backup_rules import height_by_clock
from wire.ids import U32_MAX

logger = logging.getLogger(__name__)

COUNTER_BLOCK: Final = 10_000
"""Reserved at a time; a start skips the rest of the last block."""
BY_CLOCK_MAX: Final = U32_MAX // 4 * 3
"""Reached in 2051, or by a clock that is far ahead: what is left is enough for 250 restores."""
RAISES_MAX: Final = 16
"""Per run, so that a lying node cannot use up the counters."""


def begin_by_clock(at: datetime) -> int:
    """Where the counters of a central that is restored ``at`` that time go on, if they were lower."""
    return min(height_by_clock(at), BY_CLOCK_MAX)


class OwnCounters:
    """Gives out counters in rising order, each once."""

    def __init__(self, reserve: Callable[[int, int], range], now: Callable[[], datetime]) -> None:
        """Give none out yet.

        Args:
            reserve: ``reserve(count, above)`` gives ``count`` counters, all above ``above``, that nobody gets again.
            now: the machine's time, aware.
        """
        self._reserve = reserve
        self._now = now
        self._left = iter(range(0))
        self._last = 0
        self._raised = 0

    def next(self) -> int:
        """A counter that was never used.

        Raises:
            StoreError: none could be reserved.
        """
        counter = next(self._left, None)
        if counter is None:
            self._left = iter(self._reserve(COUNTER_BLOCK, 0))
            counter = next(self._left)
        self._last = counter
        return counter

    def raise_above(self, counter: int) -> None:
        """Go on above ``counter``, which a node has seen: if it is above ours, the disk is an older copy.

        At most :data:`RAISES_MAX` times, by at most ``COUNTERS_MAX`` or to where a restore would begin.

        Raises:
            StoreError: none could be reserved.
        """
        if not self._last:
            self._begin(self._reserve(COUNTER_BLOCK, 0))
        if counter <= self._last or self._raised >= RAISES_MAX:
            return
        if counter > max(self._last, begin_by_clock(self._now())) + COUNTERS_MAX:
            logger.warning("a node tells of a frame counter of ours, %d, that is too high to be true", counter)
            return
        self._begin(self._reserve(COUNTER_BLOCK, counter))
        self._raised += 1
        logger.info("a node has seen frame counter %d of ours: they go on from %d", counter, self._last + 1)

    def _begin(self, block: range) -> None:
        self._left, self._last = iter(block), block.start - 1
