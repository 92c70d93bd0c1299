"""How hard Hypothesis works: the same examples at every ordinary run, far more and new ones when fuzzing.

On a second Python a tenth of them (``--hypothesis-profile=brief``).
"""

from __future__ import annotations

import fcntl
import gc
import os
import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.support.compiled_templates import keep_compiled_templates

if TYPE_CHECKING:
    from demo.stand_in_phones import StandInPush

# No deadline and no complaint about slowness: a loaded machine is no reason to fail.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ordinary", _PATIENT, derandomize=True, database=None)
settings.register_profile("brief", _PATIENT, derandomize=True, database=None, max_examples=10)
settings.register_profile("fuzz", _PATIENT, max_examples=5_000, print_blob=True)
settings.load_profile("fuzz" if os.environ.get("WATCHLINK_FUZZ") == "1" else "ordinary")


keep_compiled_templates()

_PID = os.getpid()
_exit_at_once = os._exit


def _never_silently(status: int) -> NoReturn:
    """Tests that were cut off have not passed, whatever status they were ended with; a fork may end as it likes."""
    _exit_at_once((status or os.EX_SOFTWARE) if os.getpid() == _PID else status)


pytest.MonkeyPatch().setattr(os, "_exit", _never_silently)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Of processes that read the same tests at once, one goes first: what it compiles, the others need not.

    What has been read stays, so no garbage is looked for in it, neither now nor while the tests run.
    """
    _leave_django_to_the_office(session)
    gc.disable()
    try:
        return (yield from _read(session))
    finally:
        gc.freeze()
        gc.enable()


def _read(session: pytest.Session) -> Generator[None, object, object]:
    if session.config.getoption("numprocesses", None):
        return (yield)  # its processes read, not this one
    folder = session.config.rootpath / "var"
    folder.mkdir(exist_ok=True)
    with (folder / f"collecting.{sys.implementation.cache_tag}").open("w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(turn, fcntl.LOCK_SH)
        return (yield)


def _leave_django_to_the_office(session: pytest.Session) -> None:
    """Its plugin has each test of all rooms ask for nine fixtures, which do nothing but take a third of a short one.

    A test elsewhere that asks for the database by name still gets it; unasked, none does, as before.
    """
    manager = session._fixturemanager
    of_all = manager._node_autousenames[session]
    holders = {name: manager._arg2node2fixturedefs[name][session][-1].func.__module__ for name in of_all}
    of_django = [name for name in of_all if holders[name] == "pytest_django.plugin"]
    assert of_django, "they are kept elsewhere now"
    of_all[:] = [name for name in of_all if name not in of_django]
    manager._nodeid_autousenames["tests/office"] = of_django


_IS_INTEGRATION = re.compile(r"^pytestmark = .*mark\.integration", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only the others are wanted, files of nothing but integration tests are not even read.

    Each process imports what it collects: a browser's driver, SciPy. One who names a file gets an answer about it.
    """
    if not config.option.markexpr.startswith("not integration") or collection_path.suffix != ".py":
        return None
    if any(Path(argument.split("::")[0]).resolve() == collection_path for argument in config.args):
        return None
    return True if _IS_INTEGRATION.search(collection_path.read_text(encoding="utf-8")) else None


@pytest.fixture(scope="module")
def push_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInPush]:
    """On loopback; each test has phones of its own there."""
    from demo.stand_in_phones import StandInPush  # noqa: PLC0415 - few tests need it, and all would import it

    service = StandInPush(tmp_path_factory.mktemp("push-service"))
    yield service
    service.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first; begun last it would keep every other process waiting."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
