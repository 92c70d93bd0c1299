"""Gives a program the weights and the environment of its unit: its share of the processor, and its memory.

By control groups of either version where this machine lets us, and else by niceness, which comes near it. What the disk
gives (``IOWeight``) needs systemd and a scheduler that weighs; here everybody's reads and writes count the same.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_UNITS: Final = Path("systemd")
_GROUPS: Final = Path("/sys/fs/cgroup")
_WEIGHT: Final = 100
"""Of a unit that says nothing."""
_IDLE: Final = 0
"""Of one that runs only while no other wants to (``CPUWeight=idle``)."""
_SHARES: Final = 1_024
"""The same in control groups of version 1."""
_NICE_STEP: Final = 1.25
"""One more step of niceness gives so much less."""


def environment_of(unit: str) -> dict[str, str]:
    """What a unit sets for its program."""
    lines = re.findall(r"^Environment=(.*)$", (_UNITS / unit).read_text(), re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


@contextlib.contextmanager
def weighed(unit: str, *pids: int) -> Iterator[str]:
    """Let processes, and what they start later, run with the weights of ``systemd/UNIT``; yields in words how.

    Raises:
        OSError: neither groups nor niceness may be changed here: only root may.
    """
    text = (_UNITS / unit).read_text()
    weight, memory = _weight(text), _number(text, "MemoryMax", 0) * 1_048_576
    name = f"watchlink-bench-{os.getpid()}-{unit}"
    groups: list[Path] = []
    try:
        how = _group(name, weight, memory, groups)
        for group in groups:
            for pid in pids:
                (group / "cgroup.procs").write_text(str(pid))
        if not groups:
            _step(pids, weight)
        yield how
    finally:
        for group in groups:
            for left in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (group.parent / "cgroup.procs").write_text(left)
            group.rmdir()


def _group(name: str, weight: int, memory: int, made: list[Path]) -> str:
    if (_GROUPS / "cgroup.controllers").exists():
        wanted = {"": {"cpu.weight": weight, "cpu.idle": weight == _IDLE, "memory.max": memory}}
    else:
        wanted = {
            "cpu": {"cpu.shares": weight * _SHARES // _WEIGHT, "cpu.idle": weight == _IDLE},
            "memory": {"memory.limit_in_bytes": memory},
        }
    for controller, settings in wanted.items():
        group = _GROUPS / controller / name
        try:
            group.mkdir()
            made.append(group)
            for file, value in settings.items():
                if value:
                    (group / file).write_text(str(int(value)))
        except OSError:
            for one in made:
                one.rmdir()
            made.clear()
            return f"niceness for CPUWeight={weight or 'idle'}, no limit of memory"
    return f"CPUWeight={weight or 'idle'}, MemoryMax={memory // 1_048_576}M"


def _step(pids: tuple[int, ...], weight: int) -> None:
    nice = 19 if weight == _IDLE else -round(math.log(weight / _WEIGHT, _NICE_STEP))
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(task.name), max(-20, min(19, nice)))


def _weight(text: str) -> int:
    return _IDLE if "\nCPUWeight=idle\n" in text else _number(text, "CPUWeight", _WEIGHT)


def _number(text: str, key: str, default: int) -> int:
    found = re.search(rf"^{key}=(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else default
