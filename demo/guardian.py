"""Stands by in a process of its own: when the demo is gone, however it went, its children and its folder go too.

It reads lines from a pipe whose other end only the demo holds: ``+PID`` and ``-PID`` for children, ``keep`` when
the folder is to stay. The pipe's end is the demo's end. Standard library only; run with ``python -I -S``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterable, Sequence

FOLDERS_STAY = "keep"


def watch_over(lines: Iterable[str]) -> tuple[set[int], bool]:
    """Read until the demo ends; the children it has left behind, and whether the folders stay."""
    children: set[int] = set()
    is_kept = False
    for line in lines:
        order = line.strip()
        if order == FOLDERS_STAY:
            is_kept = True
        elif order[:1] == "+":
            children.add(int(order[1:]))
        elif order[:1] == "-":
            children.discard(int(order[1:]))
    return children, is_kept


def main(folders: Sequence[str]) -> None:
    """Watch, then clear up."""
    # Ctrl-C and the terminal's end are the demo's matter; the guardian goes when its pipe does.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children, is_kept = watch_over(sys.stdin)
    for pid in children:
        # Each child leads a process group, so what it started goes with it. A stopped one dies of this too.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    if not is_kept:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
