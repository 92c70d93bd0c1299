"""Virtual time: one queue of future actions, one random source, one trace whose hash identifies the run.

Nothing else in the simulation has a clock, and other random sources are drawn from the seed: it determines everything.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import deque
from collections.abc import Callable
from typing import Final

TRACE_KEPT: Final = 400


class Timeline:
    """The queue, the clock and the trace.

    Attributes:
        now_ms: true time since the run began.
        chance: the run's random source.
    """

    def __init__(self, seed: int) -> None:
        self.now_ms = 0
        self.chance = random.Random(seed)
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = 0
        self._digest = hashlib.sha256(str(seed).encode())
        self._tail: deque[str] = deque(maxlen=TRACE_KEPT)
        self.steps = 0

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Run ``action`` in ``delay_ms``; actions due at the same moment run in the order of these calls."""
        self._sequence += 1
        heapq.heappush(self._queue, (self.now_ms + max(0, delay_ms), self._sequence, action))

    def run_until(self, end_ms: int, after_each: Callable[[], None]) -> None:
        """Run every action due by ``end_ms``, and ``after_each`` after each of them."""
        while self._queue and self._queue[0][0] <= end_ms:
            self.now_ms, _, action = heapq.heappop(self._queue)
            action()
            self.steps += 1
            after_each()
        self.now_ms = max(self.now_ms, end_ms)

    def note(self, who: str, what: str) -> None:
        """Add a line to the trace."""
        line = f"{self.now_ms:>8} {who:<9} {what}"
        self._digest.update(line.encode())
        self._tail.append(line)

    @property
    def trace_hash(self) -> str:
        """Sixteen hexadecimal digits of the trace's SHA-256: two runs share them only if they did the same."""
        return self._digest.hexdigest()[:16]

    @property
    def trace_tail(self) -> tuple[str, ...]:
        """The last lines, oldest first."""
        return tuple(self._tail)
