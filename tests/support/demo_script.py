"""A script of the demo, played to its end as a person at a terminal would start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.cli import NOT_UNDERSTOOD

WITHIN_S = 900
Lines = list[dict[str, Any]]


def demo_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "watchlink.cli", "demo", *arguments]


def play(name: str, folder: Path, *arguments: str) -> Lines:
    """What it said, after all of it has happened: nothing lost, told twice or untrue; ``folder`` is left empty."""
    folder.mkdir(exist_ok=True)
    played = subprocess.run(
        demo_command("--script", name, "--json", *arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    lines = read_lines(played.returncode, played.stdout, played.stderr)
    assert [] == list(folder.iterdir()), "nothing is left behind"
    check_summary(lines)
    return lines


def read_lines(status: int, out: str, err: str) -> Lines:
    """What a script said that has ended well.

    Raises:
        LookupError: this version of the demo has no such script or option, which is no failure of a script.
    """
    if status == NOT_UNDERSTOOD:
        raise LookupError(err)
    assert "" == err
    assert 0 == status, out.splitlines()[-1]
    return [json.loads(line) for line in out.splitlines()]


def check_summary(lines: Lines) -> None:
    summary = lines[-1]
    assert ("summary", "passed", 0, 0, 0, []) == tuple(
        summary[key] for key in ("fact", "verdict", "lost", "duplicates", "untrue", "missing")
    )
    assert all({"at_ms", "fact", "node", "alert"} <= line.keys() for line in lines)


def facts(lines: Lines, fact: str, **fields: str) -> Lines:
    return [line for line in lines if line["fact"] == fact and fields.items() <= line.items()]
