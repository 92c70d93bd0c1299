"""What waits for a queue goes on in time, also if the processor was taken from it."""

from __future__ import annotations

from queue import Empty, SimpleQueue

import pytest

from runtime.next_within import next_within
from tests.support.own_program import said_by

ALWAYS_TOO_LATE = """
from queue import Empty, SimpleQueue
from runtime.next_within import next_within

waiting = SimpleQueue()
for _ in range(20_000):
    waiting.put(1)
    next_within(waiting, 0)
    try:
        next_within(waiting, 1e-6)
    except Empty:
        pass
print("it ends", end="")
"""
"""A microsecond passes between any two steps of the wait itself."""


def test_wait_ends_though_its_time_is_over_before_it_begins() -> None:
    """Python 3.11 waits for ever."""
    assert "it ends" == said_by(ALWAYS_TOO_LATE)


@pytest.mark.parametrize("timeout_s", [-1, 0, 0.001])
def test_what_waits_comes_at_once_and_nothing_is_told(timeout_s: float) -> None:
    waiting: SimpleQueue[str] = SimpleQueue()
    waiting.put("a press")

    assert "a press" == next_within(waiting, timeout_s)
    with pytest.raises(Empty):
        next_within(waiting, timeout_s)
