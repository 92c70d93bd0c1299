"""The result of each mutant, a line each in a file that only grows, so that a campaign continues where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct


class Outcome(StrEnum):
    """How a trial ended."""

    KILLED = "killed"
    OUT_OF_TIME = "out of time"
    """As good as killed: nobody takes tests that never end for passed."""
    SURVIVED = "survived"
    NO_TEST = "no test"


class Result(Struct, frozen=True):
    """The result of one mutant.

    Attributes:
        key: the mutant's.
        source: digest of the file that it is in.
        by: the test that noticed; empty = none, or the module could not be loaded.
        tests: digests of the test files it rests on: the killer's; those of all tests that run its line if it survived.
        reaching: how many tests run its line.
        seconds: real time.
    """

    key: str
    source: str
    outcome: Outcome
    by: str
    tests: dict[str, str]
    reaching: int
    seconds: float

    @property
    def is_alive(self) -> bool:
        """Whether nothing noticed it."""
        return self.outcome in {Outcome.SURVIVED, Outcome.NO_TEST}

    def still_holds(self, digests: Mapping[str, str], path: str, tests: set[str]) -> bool:
        """Whether nothing that it rests on has changed since, and, if it is alive, no new test file runs its line."""
        is_same = digests[path] == self.source and all(digests.get(file) == was for file, was in self.tests.items())
        return is_same and (not self.is_alive or tests <= self.tests.keys())


class Results:
    """The results of all campaigns here; a mutant's latest counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._by_key: dict[str, Result] = {}
        if file.exists():
            # An interruption may have left half a line at the end.
            whole = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
            file.write_bytes(b"".join(whole))
            self._by_key = {result.key: result for result in map(_read, whole)}

    def get(self, key: str) -> Result | None:
        """The latest result, whether or not it still holds."""
        return self._by_key.get(key)

    def add(self, result: Result) -> None:
        """Keep a result, on disk at once."""
        self._by_key[result.key] = result
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")


def _read(line: bytes) -> Result:
    return msgspec.json.decode(line, type=Result)
