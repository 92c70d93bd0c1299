"""A copy of the tree, a bug in it, and its tests played there, in a process of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

from tools.mutation.processes import Report
from tools.planted.bugs import Bug

OURS: Final = frozenset(
    {
        "wire",
        "runtime",
        "node",
        "gallery",
        "central",
        "office",
        "notifier",
        "provisioning",
        "watchlink",
        "demo",
        "sim",
        "tests",
    }
)
"""Packages that must be the copy's."""


class Word(Struct, frozen=True):
    """How tests went.

    Attributes:
        outcomes: by whole id: ``"passed"``; ``"failed"`` by an assertion of the test's own; else what else happened.
        elsewhere: modules of :data:`OURS` that were not the copy's.
    """

    outcomes: dict[str, str]
    elsewhere: list[str]


def copy_tree(root: Path, copy: Path) -> None:
    """The tree as it stands on disk: what git knows, and what is new and not ignored."""
    listed = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.run(listed, check=True, capture_output=True).stdout.decode().split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)


def plant(copy: Path, bug: Bug, planted: Path) -> None:
    """A tree like ``copy`` with the bug in it. Raises as :meth:`Bug.planted`."""
    text = bug.planted((copy / bug.file).read_text(encoding="utf-8"))
    # Links take no time, and the one file that differs is made anew.
    shutil.copytree(copy, planted, copy_function=os.link)
    (planted / bug.file).unlink()
    (planted / bug.file).write_text(text, encoding="utf-8")


def attempt(report: Report, tree: Path, tests: Sequence[str]) -> None:
    """Play tests in a tree and report a :class:`Word`. Call in a process that has imported none of :data:`OURS`."""
    os.chdir(tree)
    sys.path[:0] = [str(tree)]
    # Nor may an older file's bytecode be taken for this one's, here or in programs that the tests start.
    sys.dont_write_bytecode = True
    for name in [name for name in os.environ if name.startswith(("DJANGO_", "WATCHLINK_", "PYTEST_"))]:
        del os.environ[name]
    os.environ |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    watch = _Watch()
    quiet = ("-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={tree}")
    pytest.main([*quiet, f"--basetemp={tree}.tmp", *tests], plugins=[watch])
    report(Word(watch.outcomes, _elsewhere(tree)))


def _elsewhere(tree: Path) -> list[str]:
    """Of modules without a file, such as folders of tests, those in them are looked at."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return sorted(
        name
        for name, file in files.items()
        if name.partition(".")[0] in OURS and file and not Path(file).is_relative_to(tree)
    )


class _Watch:
    """A pytest plugin."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """At each of set-up, test and tear-down; the first thing that goes wrong counts."""
        if call.excinfo is None:
            self.outcomes.setdefault(item.nodeid, "passed")
        elif self.outcomes.get(item.nodeid, "passed") == "passed":
            self.outcomes[item.nodeid] = self._why(item, call.when, call.excinfo)

    def _why(self, item: pytest.Item, when: str, error: pytest.ExceptionInfo[BaseException]) -> str:
        if error.errisinstance(pytest.skip.Exception):
            return "skipped"
        # What pytest.raises says itself is an assertion of the test's too; one in our own code is not.
        raised_in = Path(error.traceback[-1].path)
        is_tests = not raised_in.is_relative_to(item.config.rootpath) or raised_in.is_relative_to(
            item.config.rootpath / "tests"
        )
        is_assertion = error.errisinstance((AssertionError, pytest.fail.Exception))
        if when == "call" and is_assertion and is_tests:
            return "failed"
        return f"{error.exconly(tryshort=True).splitlines()[0][:80]} ({when})"
