"""A few lines of Python in a program of their own, where they may wait for ever and harm nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.fleet_broker import DEADLINE_S


def said_by(lines: str) -> str:
    """What they print; that they went wrong, or did not end, is said instead."""
    repository = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", lines], stdout=subprocess.PIPE, text=True, cwd=repository) as program:
        try:
            said, _ = program.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            program.kill()
            return "it does not end"
    return f"status {program.returncode}" if program.returncode else said
