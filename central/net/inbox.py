"""Messages that have arrived but are not handled yet. Many threads put, one takes, in a fair order."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

from central.core.fair_queue import BYTES_MAX, MESSAGES_MAX, FairQueue

T = TypeVar("T")


class Published(Struct, frozen=True):
    """A message from the broker, as received. ``is_oversized``: its payload was over every limit and is not kept."""

    topic: str
    payload: bytes
    is_oversized: bool = False
    signature: str | None = None


class Inbox(Generic[T]):
    """Messages are dropped when there is no room; everything else always finds room, and is taken first."""

    def __init__(
        self,
        messages_max: int = MESSAGES_MAX,
        bytes_max: int = BYTES_MAX,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._items: deque[T] = deque()
        self._queue: FairQueue[Published] = FairQueue(messages_max, bytes_max)
        self._has_some = threading.Condition(threading.Lock())
        self._monotonic_s = monotonic_s
        self._dropped = 0

    def put(self, item: T) -> None:
        """Add what is no message; never refused."""
        with self._has_some:
            self._items.append(item)
            self._has_some.notify()

    def put_message(self, message: Published) -> None:
        """Add a message, or drop and count it if there is no room."""
        # A topic may have 65,535 bytes, and a node's certificate allows such a one below its `up`.
        size = len(message.topic) + len(message.payload)
        with self._has_some:
            if self._queue.put(message, topic=message.topic, size=size, now_s=self._monotonic_s()):
                self._has_some.notify()
            else:
                self._dropped += 1

    def take(self, count_max: int, timeout_s: float) -> list[T | Published]:
        """Wait at most ``timeout_s`` for an item, then take up to ``count_max`` without waiting."""
        if not self.wait(max(timeout_s, 0.0)):
            return []
        with self._has_some:
            items: list[T | Published] = []
            while self._items and len(items) < count_max:
                items.append(self._items.popleft())
            items += self._queue.take(count_max - len(items))
            return items

    def wait(self, timeout_s: float) -> bool:
        """Wait at most ``timeout_s`` until there is something to take; returns whether there is."""
        with self._has_some:
            return self._has_some.wait_for(lambda: not self.is_empty, timeout_s)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits at this moment."""
        return not self._items and self._queue.is_empty

    def take_dropped(self) -> int:
        """How many messages were dropped since the last call."""
        with self._has_some:
            dropped, self._dropped = self._dropped, 0
        return dropped
