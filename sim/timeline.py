"""Virtual time: one queue of things to come, one random source, one trace whose hash names the whole run.

Nothing else in the simulation has a clock or draws lots, so a seed says everything.
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
    """What happens when.

    Attributes:
        now_ms: true time since the run began.
        chance: the run's only random source.
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
        """Do ``action`` in ``delay_ms``; things due at one moment happen in the order they were asked for."""
        self._sequence += 1
        heapq.heappush(self._queue, (self.now_ms + max(0, delay_ms), self._sequence, action))

    def run_until(self, end_ms: int, after_each: Callable[[], None]) -> None:
        """Let everything up to ``end_ms`` happen; ``after_each`` looks at the world after each thing."""
        while self._queue and self._queue[0][0] <= end_ms:
            self.now_ms, _, action = heapq.heappop(self._queue)
            action()
            self.steps += 1
            after_each()
        self.now_ms = max(self.now_ms, end_ms)

    def note(self, who: str, what: str) -> None:
        """One line of the trace."""
        line = f"{self.now_ms:>8} {who:<9} {what}"
        self._digest.update(line.encode())
        self._tail.append(line)

    @property
    def trace_hash(self) -> str:
        """Sixteen hexadecimal digits that two runs share only if they did the same."""
        return self._digest.hexdigest()[:16]

    @property
    def trace_tail(self) -> tuple[str, ...]:
        """The last lines, oldest first."""
        return tuple(self._tail)
