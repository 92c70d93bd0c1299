"""The modem's program, Dire Wolf: whether it is installed, and new enough. It opens no sound device."""

from __future__ import annotations

import subprocess
from typing import Final

from node.step import Step, bad, ok

_PROGRAM: Final = "direwolf"
_VERSION_MIN: Final = (1, 7)
_WITHIN_S: Final = 5.0
_INSTALL: Final = "apt-get install direwolf"


def modem() -> Step:
    """Ask it for its version."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed argument list
            [_PROGRAM, "-t", "0", "-u"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        return bad("modem", f"Dire Wolf cannot be run: {e}", _INSTALL)
    words = done.stdout.decode(errors="replace").partition("version ")[2].split()
    version = words[0] if words else "?"
    if _numbers(version) < _VERSION_MIN:
        return bad("modem", f"Dire Wolf {version}; 1.7 or newer is needed", _INSTALL)
    return ok("modem", f"Dire Wolf {version}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
