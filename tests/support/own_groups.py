"""Control groups of its own for a booted system, so that several run at once.

A booted system takes the groups of whoever starts it for its own, and names its units there: what one of two stops and
tidies away would be gone under the other's next child ("Failed to spawn executor").
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ONE_AT_A_TIME: Final = Path(tempfile.gettempdir()) / "watchlink-boot.lock"
_ENTER: Final = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"'


@contextlib.contextmanager
def own_groups() -> Iterator[list[str]]:
    """The words before a command that is to run in them.

    Where this machine lets nobody make groups there are none, and whoever comes second waits until the first is done.
    """
    made: list[Path] = []
    with contextlib.ExitStack() as kept:
        try:
            for parent in _groups_of_units():
                group = parent / f"watchlink-boot-{os.getpid()}"
                group.mkdir()
                made.append(group)
                kept.callback(_remove, group)
            if not made:
                raise FileNotFoundError("no control groups")
        except OSError:
            lock = kept.enter_context(_ONE_AT_A_TIME.open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            made.clear()
        yield ["sh", "-c", _ENTER, "sh", *map(str, made), "--"] if made else []


def _groups_of_units() -> Iterator[Path]:
    """This process's own, in each tree in which systemd keeps units (cgroups(7))."""
    own = {
        of: path for _, of, path in (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    }
    trees = {"": "cgroup2", "name=systemd": "cgroup"}
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for of, kind in trees.items():
        for _, place, of_mount, options, *_ in mounts:
            if of in own and of_mount == kind and (not of or of in options.split(",")):
                yield Path(place) / own[of].lstrip("/")
                break


def _remove(group: Path) -> None:
    """With what the system has left in it, which is groups alone."""
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
