"""One mutant in its own process: its file is loaded with the mistake in it, and tests that run it are played."""

from __future__ import annotations

import resource
import signal
import sys
import tempfile
from collections.abc import Collection, Generator, Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import entry_points
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Final

import hypothesis
import pytest
from msgspec import Struct

from tools.mutation.processes import Report
from tools.mutation.trace import Tracer

MEMORY_BYTES: Final = 4 * 2**30
"""A mistake in a loop may use up all memory."""
TEST_TIMES: Final = 10
TEST_EXTRA_S: Final = 5
"""CPU time that a test may take with a mutant, on top of ten times its time without: a busy machine changes neither."""
FIRST_TESTS: Final = 30
FIRST_FILES: Final = 3
"""Most mutants die at once, and reading a test file takes longer than many tests."""
_QUIET: Final = (
    *("-q", "--tb=no", "-m", "not integration"),
    *("-p", "no:cacheprovider", "-p", "no:xdist"),
    *("-o", "python_files=test_*.py"),  # else pytest reads node/core/radio/weekly_test.py itself, without the mistake
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # prepare() imports plugins before pytest does
)


class Word(Struct, frozen=True):
    """A trial's report; while it runs, the test it has reached.

    Attributes:
        is_killed: a test failed.
        test: that one, or the one running; empty = the module could not be loaded, or every test has passed.
    """

    is_killed: bool
    test: str


def prepare(bytecode: Path) -> None:
    """Import what most tests need and no mutant touches, so that each process begins with it.

    Args:
        bytecode: a folder for compiled files, so that each is compiled only once, whatever the environment says.
    """
    sys.pycache_prefix = str(bytecode)
    sys.dont_write_bytecode = False
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for name in ("cryptography.x509", "sqlalchemy", "alembic", "PIL.Image"):
        import_module(name)


def attempt(report: Report, path: str, source: str | None, seconds: Mapping[str, float], root: Path) -> None:
    """Play tests in the given order until one fails, with a mistake in one file.

    Args:
        report: called with a :class:`Word` before each test and at the end.
        path: the file.
        source: text to load in its place; ``None`` = everything as it is.
        seconds: the tests, and each one's CPU time without the mistake.
        root: top of the repository.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if source is not None:
        sys.meta_path.insert(0, _MutantFinder(path, source, root))
    for stage in split(list(seconds)):
        watch = _Watch(stage, seconds, report)
        with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
            files = list(dict.fromkeys(test.partition("::")[0] for test in stage))
            status = pytest.main([*_QUIET, "-x", f"--basetemp={folder}/t", *files], plugins=[watch])
        if watch.failed is not None or status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            report(Word(is_killed=True, test=watch.failed or ""))
            return
    report(Word(is_killed=False, test=""))


def split(tests: Sequence[str]) -> list[Sequence[str]]:
    """First a few tests from few files; then the rest."""
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))[:FIRST_FILES]
    first = [test for test in tests if test.partition("::")[0] in files][:FIRST_TESTS]
    taken = set(first)
    rest = [test for test in tests if test not in taken]
    return [stage for stage in (first, rest) if stage]


def trace(report: Report, file: str, packages: Collection[str], root: Path) -> None:
    """Play one test file as it is, and report its :class:`Reach`."""
    tracer = Tracer(packages, root)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        pytest.main([*_QUIET, f"--basetemp={folder}/t", file], plugins=[tracer])
    report(tracer.reach())


class _MutantFinder:
    """Finds one module, ahead of all other finders."""

    def __init__(self, path: str, source: str, root: Path) -> None:
        parts = Path(path).with_suffix("").parts
        self._is_package = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._is_package else parts)
        self._file = root / path
        self._source = source

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """The mutated module's spec; ``None`` for any other."""
        if name != self._name:
            return None
        return spec_from_file_location(
            name,
            self._file,
            loader=_MutantLoader(name, str(self._file), self._source),
            submodule_search_locations=[str(self._file.parent)] if self._is_package else None,
        )


class _MutantLoader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._mutated = source

    def get_code(self, fullname: str) -> CodeType:
        """Compile the mutant, without reading or writing the cache."""
        del fullname
        return compile(self._mutated, self.path, "exec", dont_inherit=True)


class _Watch:
    """A pytest plugin: plays the chosen tests in order, times them, and remembers the first failure."""

    def __init__(self, tests: Sequence[str], seconds: Mapping[str, float], report: Report) -> None:
        self.failed: str | None = None
        self._ranks = {test: rank for rank, test in enumerate(tests)}
        self._seconds = seconds
        self._report = report

    def pytest_sessionstart(self) -> None:
        """One failing example is enough here; it is not shrunk."""
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutation", hypothesis.settings.get_profile("ordinary"), phases=phases)
        hypothesis.settings.load_profile("mutation")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._ranks), key=lambda item: self._ranks[item.nodeid]
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._report(Word(is_killed=False, test=item.nodeid))
        # The timer's signal ends the process.
        signal.setitimer(signal.ITIMER_PROF, TEST_EXTRA_S + TEST_TIMES * self._seconds[item.nodeid])
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid
