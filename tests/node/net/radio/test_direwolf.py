"""What is known of a Dire Wolf child by its pipe alone; the real one is in tests/integration."""

from __future__ import annotations

import io
import os
from collections import deque

import pytest

from node.net.radio.direwolf import MODEMS, DireWolf


def test_child_is_not_stuck_that_has_taken_all_while_nothing_was_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    """During our own over nobody feeds it: killed for that, it would be deaf when the receipt comes."""
    now_ms = 1_000
    monkeypatch.setattr("node.net.radio.direwolf.monotonic_ms", lambda: now_ms)
    taken, given = os.pipe()
    os.set_blocking(taken, False)
    os.set_blocking(given, False)
    with io.FileIO(given, "wb") as audio, io.FileIO(taken, "rb") as child:
        wolf = object.__new__(DireWolf)
        wolf.modem = MODEMS[0]
        wolf._audio = audio
        wolf._backlog = deque()
        wolf._stuck_since_ms = None
        while not wolf._backlog:
            wolf.feed(bytes(4_096))
        now_ms += 60_000
        assert wolf.is_stuck
        child.read(1 << 20)

        assert not wolf.is_stuck
