"""The next of a queue, or that none came in time."""

from __future__ import annotations

import queue
from typing import TypeVar

T = TypeVar("T")


def next_within(waiting: queue.SimpleQueue[T], timeout_s: float) -> T:
    """Take the next, and wait for it no longer than ``timeout_s`` seconds; not at all if that is 0 or less.

    On Python 3.11 ``get(timeout=…)`` first takes the queue's lock, then counts what is left of its time; if another
    program had the processor meanwhile, that is less than nothing, and it waits for ever. After ``get_nowait`` the lock
    is taken already.

    Raises:
        queue.Empty: none came in time.
    """
    try:
        return waiting.get_nowait()
    except queue.Empty:
        if timeout_s <= 0:
            raise
    return waiting.get(timeout=timeout_s)
