"""What a sender's frames leave behind in central's memory, counted object by object (N3)."""

from __future__ import annotations

import gc
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest

from central.core import intake
from tests.support.central_town import CORNER, START, Town
from wire.frames import PathTest
from wire.kinds import Path

AT_S = int(START.timestamp())
NOT_KEPT = (type, ModuleType, FunctionType, BuiltinFunctionType)
"""The program itself."""


def objects_in(thing: object) -> int:
    """How many objects can be reached from it."""
    seen: set[int] = set()
    found = [thing]
    while found:
        one = found.pop()
        if id(one) not in seen and not isinstance(one, NOT_KEPT):
            seen.add(id(one))
            found += gc.get_referents(one)
    return len(seen)


def path_tests(town: Town, counters: range) -> None:
    for counter in counters:
        town.send(PathTest(CORNER, counter, AT_S, Path.NETWORK))


@pytest.mark.finding(17)
def test_flood_of_one_sender_leaves_no_more_behind_the_longer_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "SEEN_EACH_MAX", 50)
    town = Town()
    path_tests(town, range(100, 200))
    some = objects_in(town.core)
    path_tests(town, range(200, 500))

    assert objects_in(town.core) < 1.1 * some
