"""Where the check looks: this machine, or in a test a folder, pins and a bus of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from node.hw.pins import PinFactory, open_lgpio_factory

_WITHIN_S: Final = 10.0


class Machine(Struct, frozen=True):
    """The machine.

    Attributes:
        root: where ``/sys``, ``/proc`` and ``/dev`` begin.
        open_pins: makes gpiozero's pin factory.
        i2c_bus, spi: instead of the machine's own; ``None`` = its own.
    """

    root: Path = Path("/")
    open_pins: Callable[[], PinFactory] = open_lgpio_factory
    i2c_bus: Any = None
    spi: Any = None

    def at(self, path: str | Path) -> Path:
        """An absolute path on this machine."""
        return self.root / str(path).lstrip("/")

    def text(self, path: str) -> str | None:
        """A small file of the kernel's; ``None`` = there is none, or it cannot be read."""
        try:
            return self.at(path).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
        except OSError:
            return None

    def listed(self, folder: str, pattern: str) -> list[Path]:
        """What is in a folder of the kernel's; nothing if it cannot be read."""
        try:
            return sorted(self.at(folder).glob(pattern))
        except OSError:
            return []


def said(*command: str) -> str | None:
    """Standard output of a program; ``None`` = not installed, failed, or slow."""
    try:
        done = subprocess.run(  # noqa: S603 - one list, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_WITHIN_S,
            env=os.environ | {"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
