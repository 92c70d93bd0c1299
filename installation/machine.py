"""The machine: its files below a root, and its own programs."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from runtime.regular_file import read_regular

RUN_WITHIN_S: Final = 180
"""The slowest is a program that starts on a busy machine."""
READ_BYTES_MAX: Final = 64 * 1024 * 1024
"""No file that is put here is near that."""


class Answer(Struct, frozen=True):
    """What a program said."""

    status: int
    text: str

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked."""
        return self.status == 0


class Machine:
    """This machine."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def path(self, absolute: str) -> Path:
        """Where ``/an/absolute/path`` of the machine is."""
        return self.root / absolute.lstrip("/")

    def read(self, absolute: str) -> bytes:
        """The contents of a file, which may be in a folder of a program's user.

        Raises:
            OSError: it cannot be read, or is no file.
        """
        return read_regular(self.path(absolute), READ_BYTES_MAX)

    def run(self, *command: str) -> Answer:
        """Run one of its programs, without a shell. A program that is not there, or hangs, has failed."""
        try:
            done = subprocess.run(  # noqa: S603 - names of our own
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=RUN_WITHIN_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as e:
            return Answer(127, f"{command[0]}: {getattr(e, 'strerror', None) or e}")
        return Answer(done.returncode, done.stdout)

    def wait(self, seconds: float) -> None:
        """Let its programs go on."""
        time.sleep(seconds)

    def missing_packages(self, names: tuple[str, ...]) -> list[str]:
        """Debian packages that are not installed."""
        return [
            name
            for name in names
            if self.run("dpkg-query", "--show", "--showformat=${db:Status-Status}", name).text != "installed"
        ]
