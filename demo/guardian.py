"""A separate process: when the demo ends, for any reason, it removes its children and its folder.

It reads lines from a pipe whose other end only the demo holds: ``+PID`` and ``-PID`` for children, ``keep`` if
the folder is to stay. When the pipe ends, the demo has ended. Standard library only; run with ``python -I -S``.
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
    """Read until the demo ends; returns the children left behind, and whether the folders stay."""
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
    # The demo handles Ctrl-C and the terminal's end; the guardian ends with its pipe.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children, is_kept = watch_over(sys.stdin)
    for pid in children:
        # Each child leads a process group, so its own children go with it. This kills stopped ones too.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    if not is_kept:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
