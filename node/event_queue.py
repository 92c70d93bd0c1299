"""The one queue between all threads and the loop, in two lanes: the node's own events, then the network's.

A flood from the network can neither delay nor drop a press: the local lane is unlimited and always first.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Final

from node.core.events import Event, PinChanged
from runtime.monotonic import monotonic_ms
from runtime.next_within import next_within

NETWORK_BYTES_MAX: Final = 4 * 1024 * 1024
"""Limit of waiting network input, as received; decoded it takes several times as much."""


class EventQueue:
    """Filled from any thread, even from a signal handler; emptied only by the loop."""

    def __init__(self) -> None:
        # SimpleQueue.put is reentrant (a signal handler may call it while the same thread gets).
        # ``None`` wakes the loop for the network lane.
        self._local: queue.SimpleQueue[tuple[Event, int] | None] = queue.SimpleQueue()
        self._network: deque[tuple[Event, int]] = deque()
        self._network_bytes = 0
        self._network_lock = threading.Lock()
        # Local events that the loop has seen but not yet taken.
        self._waiting: deque[tuple[Event, int]] = deque()

    def put(self, event: Event) -> None:
        """Add an event made by the node; never dropped. Stamped now, an edge with the moment the kernel saw it."""
        at_ms = event.at_ms if isinstance(event, PinChanged) else None
        self._local.put((event, monotonic_ms() if at_ms is None else at_ms))

    def offer(self, event: Event, waiting_max: int, size_bytes: int = 0) -> bool:
        """Add an event from the network; refused if too many, or too many bytes, are waiting.

        Args:
            event: what happened.
            waiting_max: how many network events may wait before it.
            size_bytes: its size, if more than a few hundred. A single large one always finds room.
        """
        with self._network_lock:
            is_too_much = self._network_bytes and self._network_bytes + size_bytes > NETWORK_BYTES_MAX
            if len(self._network) >= waiting_max or (size_bytes and is_too_much):
                return False
            self._network_bytes += size_bytes
            self._network.append((event, size_bytes))
        self._local.put(None)
        return True

    def now_ms(self) -> int:
        """How far the loop may advance time: to the present, or to the oldest local event that still waits.

        A slow disk holds up the loop for longer than a contact bounces. If time advanced past an edge not yet looked
        at, the level before it would seem to have held, and a bounce would become a press.
        """
        now_ms = monotonic_ms()
        while not self._waiting:
            try:
                found = self._local.get_nowait()
            except queue.Empty:
                return now_ms
            if found is not None:  # This wake-up for the network lane has done its work.
                self._waiting.append(found)
        return min(now_ms, self._waiting[0][1])

    def get(self, timeout_ms: int) -> tuple[Event, int] | None:
        """The next event, and when it happened on the monotonic clock; ``None`` if none came in time.

        Args:
            timeout_ms: how long to wait; 0 = not at all.
        """
        if self._waiting:
            return self._waiting.popleft()
        deadline_ms = monotonic_ms() + timeout_ms
        while True:
            remaining_ms = 0 if self._network else max(0, deadline_ms - monotonic_ms())
            try:
                found = next_within(self._local, remaining_ms / 1000)
            except queue.Empty:
                if self._network:
                    return self._next_of_network(), monotonic_ms()
                if monotonic_ms() >= deadline_ms:
                    return None
                continue
            if found is not None:
                return found

    def _next_of_network(self) -> Event:
        with self._network_lock:
            event, size_bytes = self._network.popleft()
            self._network_bytes -= size_bytes
        return event
