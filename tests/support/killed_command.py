"""Kills a command at its first step, the next run at its second, and so on until one is through: real ``kill -9``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.support.office_program import clean_environment

_DRIVER = """
import importlib, os, signal, sys
modules = [importlib.import_module(name) for name in sys.argv[1].split(",")]
for name in filter(None, sys.argv[2].split(",")):
    importlib.import_module(name)
from watchlink.cli import main

def run(last):
    def cut(folder):
        nonlocal last
        last -= 1
        if not last:
            os.kill(os.getpid(), signal.SIGKILL)
    for module in modules:
        module.sync_folder = cut
    sys.exit(main(sys.argv[3:]))

for step in range(1, 100):
    child = os.fork()
    if not child:
        run(step)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != -signal.SIGKILL:
        print(step - 1)
        sys.exit(status)
"""


def killed_until_through(modules: Sequence[str], *words: object, read: Sequence[str] = ()) -> int:
    """Run ``watchlink WORDS`` in vain until it is through, each time on what the one before has left.

    Args:
        modules: in which each call of ``sync_folder`` is a step.
        words: of the command.
        read: modules that each of its runs would otherwise read anew, which takes longer than the run.

    Returns:
        At how many steps it was killed.
    """
    command = [sys.executable, "-c", _DRIVER, ",".join(modules), ",".join(read), *map(str, words)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return int(done.stdout.split()[-1])
