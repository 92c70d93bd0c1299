"""The queue: a flood from the network neither delays nor drops what happened here (N1)."""

from __future__ import annotations

import threading

import pytest

from node.core.controls import Button
from node.core.events import InputRejected, PinChanged, StopAsked
from node.event_queue import NETWORK_BYTES_MAX, EventQueue
from runtime.monotonic import monotonic_ms

PRESS = PinChanged(Button.ATTACK, is_down=True)


def test_queue_gives_local_events_first_and_each_lane_in_order() -> None:
    queue = EventQueue()
    for n in range(3):
        queue.offer(InputRejected(str(n)), 10)
    queue.put(PRESS)
    queue.put(StopAsked())
    given = [queue.get(0) for _ in range(6)]

    assert [PRESS, StopAsked(), *(InputRejected(str(n)) for n in range(3)), None] == [g and g[0] for g in given]


def test_queue_refuses_network_events_beyond_the_limit_and_takes_them_again_later() -> None:
    queue = EventQueue()

    assert [True, True, False] == [queue.offer(InputRejected("x"), 2) for _ in range(3)]
    assert queue.get(0) is not None
    assert queue.offer(InputRejected("x"), 2)
    queue.put(PRESS)
    assert (found := queue.get(0))
    assert found[0] == PRESS


def test_queue_wakes_a_waiting_loop_for_either_lane() -> None:
    queue = EventQueue()
    for act, arguments in ((queue.put, [PRESS]), (queue.offer, [InputRejected("x"), 1])):
        timer = threading.Timer(0.01, act, arguments)
        timer.start()
        found = queue.get(30_000)
        timer.join()
        assert found is not None


def test_queue_answers_none_when_nothing_comes() -> None:
    assert EventQueue().get(1) is None


def test_queue_stamps_a_press_when_it_happened() -> None:
    """The loop may be busy with the disk; debounce must count from the edge, not from when it is free again."""
    queue = EventQueue()
    queue.put(PRESS)
    found = queue.get(0)
    queue.get(5)
    queue.put(PRESS)
    later = queue.get(0)

    assert found
    assert later
    assert later[1] > found[1]


def test_queue_stamps_an_edge_with_the_time_that_it_brings() -> None:
    queue = EventQueue()
    queue.put(PinChanged(Button.ATTACK, is_down=True, at_ms=1_234))
    found = queue.get(0)

    assert found
    assert 1_234 == found[1]


def test_queue_survives_producers_in_many_threads() -> None:
    queue = EventQueue()

    def produce() -> None:
        for _ in range(500):
            queue.put(PRESS)
            queue.offer(InputRejected("x"), 10_000)

    threads = [threading.Thread(target=produce) for _ in range(4)]
    for thread in threads:
        thread.start()
    given = [queue.get(30_000) for _ in range(4_000)]
    for thread in threads:
        thread.join()

    for kind in (PinChanged, InputRejected):
        assert sum(g is not None and isinstance(g[0], kind) for g in given) == 2_000


def test_queue_lets_time_go_on_to_the_oldest_press_that_waits_and_no_further() -> None:
    queue = EventQueue()
    queue.offer(InputRejected("x"), 10)
    queue.put(PRESS)
    queue.put(StopAsked())
    waiting_ms = queue.now_ms()
    while monotonic_ms() <= waiting_ms:
        pass

    assert waiting_ms == queue.now_ms()
    assert [(PRESS, waiting_ms), StopAsked(), InputRejected("x")] == [
        queue.get(0),
        *(found[0] for _ in range(2) if (found := queue.get(0))),
    ]
    assert queue.now_ms() > waiting_ms


@pytest.mark.finding(17)
def test_queue_refuses_what_is_large_beyond_its_bytes_and_takes_what_is_small() -> None:
    queue = EventQueue()
    half = NETWORK_BYTES_MAX // 2

    assert [True, True, False, True] == [queue.offer(InputRejected("x"), 100, size) for size in (half, half, 1, 0)]
    assert queue.get(0) is not None
    assert queue.offer(InputRejected("x"), 100, half)
    while queue.get(0) is not None:
        pass
    assert queue.offer(InputRejected("alone"), 100, 2 * NETWORK_BYTES_MAX)
