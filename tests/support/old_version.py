"""The version before this one, as it is in this repository's history, to run its programs beside ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMIT = "f02b764"
"""The code that inspection looked at: no receipt names bytes, nobody signs JSON."""


class OldVersion:
    """Its files, and the environment in which our interpreter runs them."""

    def __init__(self, folder: Path, commit: str = COMMIT) -> None:
        folder.mkdir()
        files = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-x"], cwd=folder, input=files, check=True)
        # Its folder comes before whatever is installed, and the working directory is not searched.
        self.env: Mapping[str, str] = {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}

    def run(self, code: str, *arguments: str) -> None:
        """A few lines of its Python."""
        command = [sys.executable, "-c", code, *arguments]
        subprocess.run(command, env={**os.environ, **self.env}, check=True, stdout=subprocess.DEVNULL)
