"""What a child says is read up to a size and a time, and never believed."""

from __future__ import annotations

import pytest

from runtime.caged_child import CagedChild, ChildEndedError
from tests.support.fleet_broker import DEADLINE_S


@pytest.fixture
def child() -> CagedChild:
    """A program that says some lines and ends."""
    return CagedChild("timeit", "--help")


def test_what_it_says_is_a_line_and_then_bytes(child: CagedChild) -> None:
    child.give(b"", DEADLINE_S)
    try:
        assert b"Tool for measuring" in child.line(1_000)
        assert 20 == len(child.data(20))
    finally:
        child.close()


def test_what_never_comes_is_not_waited_for(child: CagedChild) -> None:
    child.give(b"", DEADLINE_S)
    try:
        child.line(1_000)
        with pytest.raises(ChildEndedError):
            child.data(100_000)
    finally:
        child.close()


def test_child_that_has_no_time_is_not_waited_for(child: CagedChild) -> None:
    try:
        with pytest.raises(TimeoutError):
            child.give(b"x", 0.0)
    finally:
        child.close()
