"""What arrived and was not looked at yet: bounded in number and bytes, however hard somebody floods."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MESSAGES_MAX: Final = 50_000
BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Published:
    """A message of the broker's, as it came. ``is_oversized``: its payload was over every cap, and is not kept."""

    topic: str
    payload: bytes
    is_oversized: bool = False


class Inbox(Generic[T]):
    """Many threads put, one takes.

    Messages are dropped when it is full (their senders get no receipt and send again, the next heartbeat replaces
    the last); everything else always finds room.
    """

    def __init__(self, messages_max: int = MESSAGES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._queue: queue.SimpleQueue[T | Published] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._messages_left = messages_max
        self._bytes_left = bytes_max
        self._dropped = 0

    def put(self, item: T) -> None:
        """Never refused."""
        self._queue.put(item)

    def put_message(self, message: Published) -> None:
        """Dropped, and counted, if there is no room."""
        with self._lock:
            if self._messages_left <= 0 or self._bytes_left < _size(message):
                self._dropped += 1
                return
            self._messages_left -= 1
            self._bytes_left -= _size(message)
        self._queue.put(message)

    def take(self, count_max: int, timeout_s: float) -> list[T | Published]:
        """Wait for one item at most ``timeout_s``, then take what else is there, without waiting."""
        items: list[T | Published] = []
        try:
            items.append(self._queue.get(timeout=max(timeout_s, 0.0)))
            while len(items) < count_max:
                items.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        messages = [item for item in items if isinstance(item, Published)]
        if messages:
            with self._lock:
                self._messages_left += len(messages)
                self._bytes_left += sum(map(_size, messages))
        return items

    @property
    def is_empty(self) -> bool:
        """Nothing waits at this moment."""
        return self._queue.empty()

    def take_dropped(self) -> int:
        """How many messages were dropped since this was last asked."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped


def _size(message: Published) -> int:
    # A topic may have 65,535 bytes, and a node's own certificate may write such a one below its `up`.
    return len(message.topic) + len(message.payload)
