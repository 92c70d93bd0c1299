"""Nothing outlives the demo, however it ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import demo.guardian
from demo.guardian import watch_over


def test_guardian_knows_who_is_left() -> None:
    assert ({3}, False) == watch_over(["+2\n", "+3\n", "-2\n"])


def test_guardian_keeps_the_folder_when_told() -> None:
    assert (set(), True) == watch_over(["keep\n"])


def test_guardian_ends_children_and_folder_when_its_pipe_ends(tmp_path: Path) -> None:
    folder = tmp_path / "a town"
    folder.mkdir()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    guardian = subprocess.Popen(
        [sys.executable, "-I", "-S", demo.guardian.__file__, str(folder)], stdin=subprocess.PIPE, text=True
    )

    guardian.communicate(f"+{child.pid}\n")

    assert -9 == child.wait()
    assert not folder.exists()
    child.communicate()
