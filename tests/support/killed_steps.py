"""Runs something in processes of their own, each killed (SIGKILL) just before another of its steps on the disk.

A step is whatever opens, renames or removes a file: there a power cut makes a difference.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

STEPS_MAX: Final = 200
BACKSTOP_S: Final = 3_600
"""All steps compute for two seconds, which take minutes in idle time beside other work (``scripts/test``)."""
_EVENTS: Final = frozenset({"open", "os.rename", "os.remove", "os.mkdir"})


def killed_at_each_step(act: Callable[[Path], object], template: Path, folders: Path) -> list[Path]:
    """A copy of ``template`` for each step of ``act``, which was killed there; in the last it was not killed.

    Args:
        act: a function of a module, which is given the copy.
        template: a folder.
        folders: where the copies are put.
    """
    name = f"{act.__module__}:{act.__qualname__}"
    subprocess.run([sys.executable, "-m", __name__, name, str(template), str(folders)], check=True, timeout=BACKSTOP_S)
    return sorted(folders.iterdir())


def _main(name: str, template: Path, folders: Path) -> None:
    module, _, function = name.partition(":")
    act = getattr(importlib.import_module(module), function)
    for step in range(STEPS_MAX):
        folder = folders / f"{step:03}"
        shutil.copytree(template, folder)
        child = os.fork()
        if child == 0:
            _run_to(step, act, folder)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0, f"{name} failed by itself"
            return
    raise AssertionError(f"{name} has more than {STEPS_MAX} steps")


def _run_to(step: int, act: Callable[[Path], object], folder: Path) -> None:
    left = [step]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and str(folder) in str(arguments[0]):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    sys.addaudithook(hook)
    try:
        act(folder)
    except BaseException:  # noqa: BLE001 - told by the status; nothing of the parent may run in this process
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
