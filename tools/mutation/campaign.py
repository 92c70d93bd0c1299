"""One campaign: find the mutants, learn which tests run them, play a sample."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from tools.mutation import mutants as rules
from tools.mutation.mutants import Mutant, files_of, mutants_of, mutated
from tools.mutation.processes import Ending, Job, Report, play
from tools.mutation.results import Outcome, Result, Results
from tools.mutation.trace import Atlas, Reach, in_order
from tools.mutation.trial import Word, attempt, prepare, trace

PACKAGES: Final = ("node/core", "gallery/core", "central/core", "wire", "node/store", "central/store", "provisioning")
_NOT_MUTATED: Final = ("central/store/migrations/",)
"""Loaded by Alembic itself, so a mistake would never take effect; a test compares its result with the tables."""
_TRACED: Final = ("node", "gallery", "central", "wire", "provisioning", "runtime")
"""Adapters too, since a constant of a core may be used only there."""
BUDGET_S: Final = 60.0
"""CPU seconds of tests for each mutant, as measured without it. A mutant that outlives them has survived."""
_NOT_TRACED: Final = (
    *("tests/project/", "tests/bench/", "tests/tools/"),  # read sources, measure, test this
    *("tests/integration/", "tests/browser/", "tests/systemd/"),  # start programs, which know nothing of a mutant
    *("tests/sim/", "tests/demo/"),  # run every line for minutes; what only they notice needs a test of its own
)
_LEARN_LIMIT_S: Final = 3_600
_PLAY_LIMIT_S: Final = 1_200
"""Real time, for waits that never end; endless loops are ended by their CPU time."""

_T = TypeVar("_T")


class Trial(Struct, frozen=True):
    """A mutant and the tests that run its line."""

    mutant: Mutant
    tests: frozenset[str]

    def without(self, test: str) -> Trial:
        """For a test that fails without the mutant too."""
        return Trial(self.mutant, self.tests - {test})


class Campaign:
    """The working tree as it is now.

    Args:
        root: top of the repository.
        workers: processes at a time.
        budget_s: CPU seconds of tests for each mutant.
    """

    def __init__(self, root: Path, workers: int, budget_s: float = BUDGET_S) -> None:
        self._root = root
        self._workers = workers
        self._budget_s = budget_s
        self._kept = root / "var" / "mutation"
        self._kept.mkdir(parents=True, exist_ok=True)
        self.sources = self._read(path for path in files_of(PACKAGES, root) if not path.startswith(_NOT_MUTATED))
        self._traced = self._read(files_of(_TRACED, root))
        self._tests, self._beside = self._test_files()
        self._digests = {path: _digest(text) for path, text in (self.sources | self._tests).items()}
        self._results = Results(self._kept / "results.jsonl")
        self._killers: dict[str, Counter[str]] = defaultdict(Counter)
        self._is_trusted: dict[str, bool] = {}
        prepare(self._kept / "bytecode")

    def mutants(self) -> dict[str, list[Mutant]]:
        """All mutants, by package."""
        ground = _digest(Path(rules.__file__).read_text(), version("mutmut"))
        found = self._learn("mutants", list[Mutant], self.sources, ground, _find)
        return {
            package: [mutant for path in self.sources if path.startswith(f"{package}/") for mutant in found[path]]
            for package in PACKAGES
        }

    def atlas(self) -> Atlas:
        """Which test runs which line. Only changed test files are traced again; all, if files they rest on changed."""
        ground = _digest(*self._traced.values(), *self._beside.values())
        reach = self._learn("reach", Reach, self._tests, ground, partial(_trace, self._root))
        atlas = Atlas(reach, self._traced | self._tests)
        gc.collect()
        gc.freeze()  # so that child processes share it
        return atlas

    def play(self, drawn: Iterable[Mutant], atlas: Atlas) -> Iterator[tuple[Mutant, Result]]:
        """Each mutant and its result: known ones first, then those no test runs, then the new ones, file by file."""
        new: dict[str, list[Trial]] = defaultdict(list)
        for mutant in drawn:
            tests = frozenset(atlas.tests_of(mutant))
            known = self._results.get(mutant.key)
            if known and known.still_holds(self._digests, mutant.path, set(map(_file_of, tests))):
                self._killers[mutant.path][known.by] += 1
                yield mutant, known
            else:
                new[mutant.path].append(Trial(mutant, tests))
        untested = [trial for trials in new.values() for trial in trials if not trial.tests]
        yield from ((trial.mutant, self._keep(trial, Outcome.NO_TEST)) for trial in untested)
        for (trial, text), ending in play(self._jobs(new, atlas), self._workers):
            yield trial.mutant, self._judge(trial, text, ending, atlas)

    def _jobs(self, new: Mapping[str, Iterable[Trial]], atlas: Atlas) -> Iterator[Job[tuple[Trial, str]]]:
        for path, trials in sorted(new.items()):
            texts = mutated(path, self.sources[path], {trial.mutant.index for trial in trials})
            yield from (self._job(trial, texts[trial.mutant.index], atlas) for trial in trials if trial.tests)

    def _job(self, trial: Trial, text: str, atlas: Atlas) -> Job[tuple[Trial, str]]:
        return Job((trial, text), partial(self._attempt, trial=trial, text=text, atlas=atlas), _PLAY_LIMIT_S)

    def _judge(self, trial: Trial, text: str, ending: Ending, atlas: Atlas) -> Result:
        word = ending.said(Word)
        if ending.is_out_of_time:
            return self._keep(trial, Outcome.OUT_OF_TIME, word.test, ending.seconds)
        if not word.is_killed:
            return self._keep(trial, Outcome.SURVIVED, "", ending.seconds)
        if self._trusts(word.test, atlas):
            return self._keep(trial, Outcome.KILLED, word.test, ending.seconds)
        (again, _), ending = next(play([self._job(trial.without(word.test), text, atlas)], 1))
        return self._judge(again, text, ending, atlas)

    def _attempt(self, report: Report, trial: Trial, text: str, atlas: Atlas) -> None:
        path = trial.mutant.path
        # In the child, so that it knows the latest killers.
        tests = in_order(trial.tests, path, atlas, self._killers[path], self._budget_s)
        attempt(report, path, text, {test: atlas.seconds_of(test) for test in tests}, self._root)

    def _trusts(self, test: str, atlas: Atlas) -> bool:
        """Whether the test passes alone without a mutant; one that fails has killed nothing."""
        if not test:
            return True
        if test not in self._is_trusted:
            seconds = {test: atlas.seconds_of(test)}
            work = partial(attempt, path="", source=None, seconds=seconds, root=self._root)
            _, ending = next(play([Job(test, work, _PLAY_LIMIT_S)], 1))
            self._is_trusted[test] = not ending.is_out_of_time and not ending.said(Word).is_killed
        return self._is_trusted[test]

    def _keep(self, trial: Trial, outcome: Outcome, by: str = "", seconds: float = 0.0) -> Result:
        rests_on = trial.tests if outcome is Outcome.SURVIVED else {by} - {""}
        result = Result(
            key=trial.mutant.key,
            source=self._digests[trial.mutant.path],
            outcome=outcome,
            by=by,
            tests={file: self._digests[file] for file in map(_file_of, rests_on)},
            reaching=len(trial.tests),
            seconds=round(seconds, 2),
        )
        self._results.add(result)
        self._killers[trial.mutant.path][by] += 1
        return result

    def _learn(
        self,
        name: str,
        kind: type[_T],
        subjects: dict[str, str],
        ground: str,
        learn: Callable[[str, str, Report], None],
    ) -> dict[str, _T]:
        """What ``learn`` reports of each subject; read from disk if subject and ground are unchanged."""
        folder = self._kept / name
        folder.mkdir(exist_ok=True)
        places = {subject: folder / _digest(subject, text, ground) for subject, text in subjects.items()}
        jobs = [
            Job(subject, partial(learn, subject, text), _LEARN_LIMIT_S)
            for subject, text in subjects.items()
            if not places[subject].exists()
        ]
        total = len(jobs)
        for done, (subject, ending) in enumerate(play(jobs, self._workers), start=1):
            places[subject].write_bytes(msgspec.msgpack.encode(ending.said(kind)))
            print(f"{name}: {done} of {total} files", end="\r", flush=True)
        if total:
            print()
        return {subject: msgspec.msgpack.decode(place.read_bytes(), type=kind) for subject, place in places.items()}

    def _test_files(self) -> tuple[dict[str, str], dict[str, str]]:
        """The texts of traced test files, and of the files they rest on."""
        texts = self._read(path for path in files_of(("tests",), self._root) if not path.startswith(_NOT_TRACED))
        tests = {path: text for path, text in texts.items() if Path(path).name.startswith("test_")}
        return tests, {path: text for path, text in texts.items() if path not in tests}

    def _read(self, paths: Iterable[str]) -> dict[str, str]:
        return {path: (self._root / path).read_text() for path in paths}


def _find(subject: str, text: str, report: Report) -> None:
    report(mutants_of(subject, text))


def _trace(root: Path, subject: str, text: str, report: Report) -> None:
    del text  # pytest reads the file itself
    trace(report, subject, _TRACED, root)


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
