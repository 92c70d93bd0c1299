"""The demo's end of the pipe to :mod:`demo.guardian`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

from demo.guardian import FOLDERS_STAY


class Guardian:
    """Tells the guardian which children run, so that none outlives the demo."""

    def __init__(self, folders: list[Path], *, is_kept: bool) -> None:
        script = Path(__file__).with_name("guardian.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), *map(str, folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            text=True,
            start_new_session=True,
        )
        if is_kept:
            self.tell(FOLDERS_STAY)

    def tell(self, order: str) -> None:
        """``+PID``: a child has begun; ``-PID``: it is gone."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()

    def dismiss(self) -> None:
        """The demo is over: let the guardian clear up, and wait for its end."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
