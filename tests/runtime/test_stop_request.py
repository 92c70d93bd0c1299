"""A program that is asked to end does so, wherever it stands."""

from __future__ import annotations

from runtime.stop_request import StopRequest
from tests.support.fleet_broker import DEADLINE_S
from tests.support.own_program import said_by

ASKED_AT_ANY_MOMENT = """
import random
import signal
from runtime.stop_request import stop_request

for _ in range(500):
    request = stop_request()
    signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 3e-4))
    while not request.wait(2e-5):
        pass
print("it ends", end="")
"""


def test_request_comes_through_wherever_the_program_stands() -> None:
    """With an event it waits for its own lock, nearly always within a hundred requests."""
    assert "it ends" == said_by(ASKED_AT_ANY_MOMENT)


def test_request_stays_made() -> None:
    request = StopRequest()
    assert not request.wait(0)

    request.set()
    assert request.wait(0)
    assert request.wait(DEADLINE_S)
