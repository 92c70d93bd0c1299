"""What ``scripts/test`` says and leaves behind: with a Python that only pretends to run tests."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fleet_broker import DEADLINE_S, wait_until

SCRIPT = Path(__file__).parents[2] / "scripts/test"
PYTHON = """#!/bin/sh
case "$*" in
*-V*) echo Python 3 && exit ;;
*debian_root* | *image_root*) exit ;;
*postgresql*--ignore=tests/office/people*) part=other_pages ;;
*postgresql*) part=registers ;;
*brief*) part=second ;;
*--ignore=tests/wire*--ignore=tests/office* | *--ignore=tests/office*--ignore=tests/wire*) part=unit ;;
*--ignore=tests/office*) part=path ;;
*'not integration'*) part=office ;;
*) part=integration ;;
esac
if [ "$HANGS" ]; then
    echo $$ >>"$part"
    # As pytest does, it ends by itself.
    trap 'exit 2' INT
    [ $part = integration ] && { until [ -e unit ]; do sleep 0.05; done; touch ready; }
    while :; do sleep 0.05; done
fi
[ "$FAILS" != $part ] || exit 1
case " $EMPTY " in *" $part "*) exit 5 ;; esac
echo '3 passed in 1s'
"""


def _named(which: str) -> tuple[str, ...]:
    return () if which == "all" else (which,)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The script, and a Python that fails the part of ``FAILS``, has no test for those of ``EMPTY``, or runs on."""
    for folder in ("scripts", ".venv/bin", "tests/wire", "tests/office/people", "tests/office/audit"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    python = tmp_path / ".venv/bin/python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def started(tree: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """In a group of its own, as from a terminal; a background job's would ignore Ctrl-C."""
    return subprocess.Popen(
        ["env", "--default-signal=INT", "scripts/test", *arguments],
        cwd=tree,
        env={**os.environ, "HANGS": "", "FAILS": "", "EMPTY": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("which", "fails", "status", "last"),
    [
        ("all", "", 0, "3 passed in 1s"),
        ("all", "unit", 1, "tests failed: units (see above)"),
        ("all", "integration", 1, "tests failed: integration (see above)"),
        ("all", "registers", 0, "3 passed in 1s"),
        ("whole", "", 0, "3 passed in 1s"),
        ("whole", "integration", 1, "tests failed: integration (see above)"),
        ("whole", "registers", 1, "tests failed: PostgreSQL (see above)"),
        ("whole", "unit", 1, "tests failed: units (see above)"),
    ],
)
def test_full_run_fails_with_any_part(tree: Path, which: str, fails: str, status: int, last: str) -> None:
    running = started(tree, *_named(which), FAILS=fails)
    said, _ = running.communicate(timeout=DEADLINE_S)

    assert (status, last) == (running.returncode, said.splitlines()[-1])
    assert [] == list((tree / "var").iterdir())


@pytest.mark.parametrize("fails", ["unit", "path", "office", "second"])
def test_each_share_of_the_units_can_fail_them_and_all_are_told(tree: Path, fails: str) -> None:
    shutil.copytree(tree / ".venv", tree / ".venv313")
    running = started(tree, "unit", FAILS=fails)
    said, _ = running.communicate(timeout=DEADLINE_S)

    assert 1 == running.returncode
    told = [line.removeprefix("== unit tests on Python 3") for line in said.splitlines() if line.startswith("==")]
    assert ["", ": central, node and wire", ": the office and the simulated town", ""] == told
    assert 3 == said.count("3 passed in 1s")


@pytest.mark.parametrize("fails", ["registers", "other_pages"])
def test_each_share_of_the_office_can_fail_it_on_postgresql(tree: Path, fails: str) -> None:
    running = started(tree, "deep", FAILS=fails)
    said, _ = running.communicate(timeout=DEADLINE_S)

    assert 1 == running.returncode
    assert 1 == said.count("3 passed in 1s")


@pytest.mark.parametrize("which", ["unit", "deep"])
def test_a_file_that_is_named_is_run_once(tree: Path, which: str) -> None:
    (tree / "tests/office/people/test_one.py").touch()
    said, _ = started(tree, which, "tests/office/people/test_one.py::test_first").communicate(timeout=DEADLINE_S)

    assert 1 == said.count("3 passed in 1s")


def test_shares_leave_out_no_test() -> None:
    """Names of folders in the script, which may be renamed."""
    for variable, folder in (("registers", "tests/office"), ("alert_path", "tests"), ("newer_alone", "tests")):
        (named,) = re.findall(rf"^{variable}=\((.*)\)$", SCRIPT.read_text(), re.MULTILINE)

        assert [] == [name for name in named.split() if not (SCRIPT.parents[1] / folder / name).is_dir()]


@pytest.mark.parametrize("which", ["all", "whole"])
def test_full_run_ends_at_the_first_ctrl_c_and_leaves_nothing(tree: Path, which: str) -> None:
    running = started(tree, *_named(which), HANGS="yes")
    wait_until((tree / "ready").exists, "both parts run")
    if which == "whole":
        wait_until(lambda: (tree / "registers").exists() and (tree / "other_pages").exists(), "all parts run")
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=DEADLINE_S)

    assert 130 == running.returncode
    assert [] == list((tree / "var").iterdir())
    wait_until_ended(tree)


def test_full_run_that_is_told_to_end_leaves_nothing(tree: Path) -> None:
    """The script alone is told, not its group: nobody else tells pytest."""
    running = started(tree, HANGS="yes")
    wait_until((tree / "ready").exists, "both parts run")
    running.terminate()
    running.communicate(timeout=DEADLINE_S)

    assert 143 == running.returncode
    assert [] == list((tree / "var").iterdir())
    wait_until_ended(tree)


def test_part_that_is_told_to_end_leaves_nothing(tree: Path) -> None:
    shutil.copytree(tree / ".venv", tree / ".venv313")
    running = started(tree, "unit", HANGS="yes")
    # One that begins hears no interrupt yet, and the last may run before it.
    wait_until(lambda: all((tree / one).exists() for one in ("unit", "path", "office", "second")), "they run")
    running.terminate()
    running.communicate(timeout=DEADLINE_S)

    assert 143 == running.returncode
    wait_until_ended(tree)


@pytest.mark.parametrize(
    ("part", "empty", "arguments", "status"),
    [
        ("unit", "unit path second", ("-k", "office"), 0),
        ("unit", "unit office second", ("-k", "wire"), 0),
        ("unit", "unit path office second", ("-k", "misspelt"), 5),
        ("unit", "second", (), 5),
        ("deep", "other_pages", ("-k", "people"), 0),
        ("deep", "registers other_pages", ("-k", "misspelt"), 5),
        ("all", "unit path office second", ("-k", "broker"), 0),
        ("all", "integration", ("-k", "office"), 0),
        ("all", "integration unit path office second", ("-k", "misspelt"), 5),
        ("all", "unit", (), 1),
        ("whole", "unit path office second registers other_pages", ("-k", "broker"), 0),
        ("whole", "registers other_pages", (), 1),
    ],
)
def test_arguments_may_select_nothing_of_a_part_but_something(
    tree: Path, part: str, empty: str, arguments: tuple[str, ...], status: int
) -> None:
    shutil.copytree(tree / ".venv", tree / ".venv313")
    running = started(tree, *_named(part), *arguments, EMPTY=empty)
    said, _ = running.communicate(timeout=DEADLINE_S)

    assert status == running.returncode, said


def test_no_test_outside_the_office_waits_for_django(request: pytest.FixtureRequest) -> None:
    assert [] == [name for name in request.fixturenames if "django" in name or "_dj_" in name]


def wait_until_ended(tree: Path) -> None:
    numbers = [
        (tree / part).read_text().strip()
        for part in ("unit", "path", "office", "second", "integration", "registers", "other_pages")
        if (tree / part).exists()
    ]

    # One that nobody waits for has no program any more, but a number.
    assert numbers
    wait_until(lambda: not any(Path(f"/proc/{number}/exe").exists() for number in numbers), "the tests have ended")


def test_tests_that_one_of_them_cuts_off_have_not_passed() -> None:
    """A node that closed slowly ended the process that played it, with 0, and thousands after it were not missed."""
    done = subprocess.run([sys.executable, "-c", "import os, tests.conftest; os._exit(0)"], check=False)

    assert os.EX_SOFTWARE == done.returncode
