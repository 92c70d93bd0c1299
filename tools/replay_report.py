"""A pytest plugin: runs only what bears a finding's mark, and writes a JSON line for each test and what came of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest
import replay_names

if "REPLAY_LENDS" in os.environ:
    replay_names.install()

MISSING: Final = (AttributeError, ImportError, LookupError, NameError, SystemExit, TypeError, ValueError)
"""Raised where the code does not have what the test asks of it, options of a command included."""
SAYS_UNKNOWN: Final = re.compile(
    r"invalid choice|unrecognized arguments|No module named|cannot import name|has no attribute"
    r"|unexpected keyword argument|unknown (?:field|setting|script)"
)
"""What a program says of a name that it does not have, when a test only repeats its words, or the log has them."""
NOT_ON_PAGE: Final = re.compile(r"element\(s\) not found|strict mode violation")
"""A page's last words after waiting for what it does not have, or has more than one of."""

BROKEN: Final = "BrokenInvariantError"
"""The simulated town's word for an assertion."""

_failed: set[str] = set()


def _write(**line: object) -> None:
    with Path(os.environ["REPLAY_OUT"]).open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the marked ones of the numbers that were asked for."""
    wanted = {int(number) for number in os.environ["REPLAY_FINDINGS"].split()}
    marked = [item for item in items if wanted & _findings(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in marked])
    items[:] = marked
    for item in marked:
        never = item.get_closest_marker("never")
        _write(
            collected=item.nodeid,
            findings=sorted(wanted & _findings(item)),
            file=item.location[0],
            is_unit=item.get_closest_marker("integration") is None,
            never=str(never.args[0]) if never else "",
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What the tests before leant on is not this one's."""
    replay_names.unknown.clear()
    replay_names.dropped.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what a test came to, and why it failed."""
    report = yield
    if report.when == "teardown" and item.nodeid in _failed:
        return report  # Why it failed is known.
    if report.failed and call.excinfo is not None:
        _failed.add(item.nodeid)
        error = call.excinfo.value
        logged = "".join(text for _, text in report.sections)
        outcome = _outcome(error, logged)
        if call.when != "call" and outcome != "missing":
            outcome = "error"  # Nothing was asked yet.
        names = replay_names.dropped if outcome == "dropped" else ()
        _write(ran=item.nodeid, outcome=outcome, detail=f"{type(error).__name__}: {error}"[:200], names=sorted(names))
    elif report.when == "call":
        _write(ran=item.nodeid, outcome="skipped" if report.skipped else "passed", detail="", names=[])
    return report


def _outcome(error: BaseException, logged: str) -> str:
    """Why a test's body failed: ``assertion`` only if it saw what the code did, and leant on nothing that is lent."""
    if isinstance(error, MISSING) or replay_names.unknown or SAYS_UNKNOWN.search(f"{error}\n{logged}"):
        return "missing"
    if type(error).__name__ == "TimeoutError" or isinstance(error, TimeoutError) or NOT_ON_PAGE.search(str(error)):
        return "timed out"  # a browser's is a class of its own
    is_told = isinstance(error, AssertionError | pytest.fail.Exception) or type(error).__name__ == BROKEN
    if not is_told:
        return "error"
    return "dropped" if replay_names.dropped else "assertion"


def _findings(item: pytest.Item) -> set[int]:
    return {number for mark in item.iter_markers("finding") for number in mark.args}
