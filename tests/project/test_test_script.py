"""What ``scripts/test`` says and leaves behind: with a Python that only pretends to run tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.fleet_broker import DEADLINE_S, wait_until

SCRIPT = Path(__file__).parents[2] / "scripts/test"
PYTHON = """#!/bin/sh
case "$*" in
*-V*) echo Python 3 && exit ;;
*debian_root*) exit ;;
*'not integration'*) part=unit ;;
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
echo '3 passed in 1s'
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The script, and a Python that fails the part of ``FAILS``, or runs until it is told to end."""
    for folder in ("scripts", ".venv/bin", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    python = tmp_path / ".venv/bin/python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def started(tree: Path, **environment: str) -> subprocess.Popen[str]:
    """In a group of its own, as from a terminal; a background job's would ignore Ctrl-C."""
    return subprocess.Popen(
        ["env", "--default-signal=INT", "scripts/test"],
        cwd=tree,
        env={**os.environ, "HANGS": "", "FAILS": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("fails", "status", "last"),
    [
        ("", 0, "3 passed in 1s"),
        ("unit", 1, "tests failed: units (see above)"),
        ("integration", 1, "tests failed: integration (see above)"),
    ],
)
def test_full_run_fails_with_either_part(tree: Path, fails: str, status: int, last: str) -> None:
    running = started(tree, FAILS=fails)
    said, _ = running.communicate(timeout=DEADLINE_S)

    assert (status, last) == (running.returncode, said.splitlines()[-1])
    assert [] == list((tree / "var").iterdir())


def test_full_run_ends_at_the_first_ctrl_c_and_leaves_nothing(tree: Path) -> None:
    running = started(tree, HANGS="yes")
    wait_until((tree / "ready").exists, "both parts run")
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=DEADLINE_S)

    assert 130 == running.returncode
    assert [] == list((tree / "var").iterdir())
    unit = int((tree / "unit").read_text())
    # One that nobody waits for has no program any more, but a number.
    wait_until(lambda: not Path(f"/proc/{unit}/exe").exists(), "the unit tests have ended")
