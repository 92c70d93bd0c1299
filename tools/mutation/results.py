"""What came of each mutant, kept in a file that grows by a line with each, so that a campaign goes on where it was."""

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
    """One mutant's.

    Attributes:
        key: the mutant's.
        source: digest of the file that it is in.
        by: the test that noticed; empty = the module could not be loaded.
        tests: digests of the files of tests that this rests on: the killer's; all that were played if it survived.
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
        """Nothing noticed."""
        return self.outcome in {Outcome.SURVIVED, Outcome.NO_TEST}

    def still_holds(self, digests: Mapping[str, str], path: str, tests: set[str]) -> bool:
        """Whether nothing that it rests on has changed since, nor has a file of tests come that was not played."""
        is_same = digests[path] == self.source and all(digests.get(file) == was for file, was in self.tests.items())
        return is_same and (not self.is_alive or tests <= self.tests.keys())


class Results:
    """Of all campaigns here; the last word on a mutant counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._by_key: dict[str, Result] = {}
        if file.exists():
            # An interruption may have left half a line at the end.
            whole = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
            file.write_bytes(b"".join(whole))
            self._by_key = {result.key: result for result in map(_read, whole)}

    def get(self, key: str) -> Result | None:
        """The last one, whether or not it still holds."""
        return self._by_key.get(key)

    def add(self, result: Result) -> None:
        """On disk before anything else is tried."""
        self._by_key[result.key] = result
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")


def _read(line: bytes) -> Result:
    return msgspec.json.decode(line, type=Result)
