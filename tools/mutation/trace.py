"""Which test runs which line, and how long it takes. Learnt once for each test file, from coverage.py."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage
from msgspec import Struct

from tools.mutation.mutants import Mutant

ALL: Final = -1
"""In place of a test's number: a fixture shared by several tests of the file has run the line."""
_SHARED: Final = "shared"


class Reach(Struct, frozen=True):
    """What one test file runs.

    Attributes:
        tests: id and CPU seconds of each test that passes.
        lines: by our file and line, the places in ``tests`` of those that run it, or :data:`ALL`.
    """

    tests: list[tuple[str, float]]
    lines: dict[str, dict[int, list[int]]]


class Tracer:
    """A pytest plugin that watches the files of ``packages``."""

    def __init__(self, packages: Iterable[str], root: Path) -> None:
        self._root = root
        patterns = [str(root / package / "*") for package in packages]
        self._coverage = Coverage(data_file=None, config_file=False, include=patterns, messages=False)
        self._coverage.start()
        self._test = ""
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Lines that run from here on belong to this test."""
        self._test = item.nodeid
        self._coverage.switch_context(item.nodeid)
        began_s = time.process_time()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = time.process_time() - began_s
            self._coverage.switch_context("")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """A fixture made for several tests belongs to all of them."""
        if fixturedef.scope == "function":
            return (yield)
        self._coverage.switch_context(_SHARED)
        try:
            return (yield)
        finally:
            self._coverage.switch_context(self._test)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave out tests that fail without a mutant, which prove nothing, and skipped ones."""
        if not report.passed:
            self._failed.add(report.nodeid)

    def reach(self) -> Reach:
        """Stop watching; returns what was seen."""
        self._coverage.stop()
        tests = [(name, round(seconds, 4)) for name, seconds in self._seconds.items() if name not in self._failed]
        places = {name: place for place, (name, _) in enumerate(tests)} | {_SHARED: ALL}
        data = self._coverage.get_data()
        lines = {
            str(Path(file).relative_to(self._root)): {
                line: sorted(places[context] for context in contexts if context in places)
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        return Reach(tests, lines)


class Atlas:
    """What all test files run, together."""

    def __init__(self, reaches: Mapping[str, Reach], sources: Mapping[str, str]) -> None:
        self._seconds = {name: seconds for reach in reaches.values() for name, seconds in reach.tests}
        self._lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._tests = {file: [name for name, _ in reach.tests] for file, reach in reaches.items()}
        self._sources = sources
        for reach in reaches.values():
            names = [name for name, _ in reach.tests]
            for path, lines in reach.lines.items():
                for line, places in lines.items():
                    self._lines[path][line].update(names if ALL in places else (names[place] for place in places))
        self._users = cache(self._find_users)

    def seconds_of(self, test: str) -> float:
        """CPU seconds, as traced."""
        return self._seconds[test]

    def tests_of(self, mutant: Mutant) -> set[str]:
        """Tests that run its line. If that runs at import only: those that run or contain its name, else the file's."""
        there = self._lines.get(mutant.path, {})
        found = {test for line in range(mutant.lines[0], mutant.lines[1] + 1) for test in there.get(line, ())}
        if found or not mutant.is_at_import:
            return found
        users = self._users(mutant.binds) if mutant.binds else ()
        return set(users) or {test for tests in there.values() for test in tests} or self._own(mutant.path)

    def _own(self, path: str) -> set[str]:
        home = _home_of(path)
        return {test for file, tests in self._tests.items() if file.startswith(home) for test in tests}

    def _find_users(self, name: str) -> frozenset[str]:
        word = re.compile(rf"\b{re.escape(name)}\b")
        found = set()
        for path, source in self._sources.items():
            if not word.search(source):
                continue
            if path in self._tests:
                found.update(self._tests[path])
            for number, line in enumerate(source.splitlines(), start=1):
                if word.search(line):
                    found.update(self._lines[path].get(number, ()))
        return frozenset(found)


def in_order(
    tests: Collection[str], path: str, atlas: Atlas, killers: Collection[str], budget_s: float
) -> tuple[str, ...]:
    """Former killers in this file, then tests from the file's own test folder, then the rest; each the fastest first.

    As many as fit into ``budget_s`` CPU seconds, but at least one.
    """
    home = _home_of(path)
    ranked = sorted(tests, key=lambda t: (t not in killers, not t.startswith(home), atlas.seconds_of(t), t))
    chosen: list[str] = []
    left_s = budget_s
    for test in ranked:
        if chosen and atlas.seconds_of(test) > left_s:
            continue
        chosen.append(test)
        left_s -= atlas.seconds_of(test)
    return tuple(chosen)


def _home_of(path: str) -> str:
    return f"tests/{Path(path).parent}/"
