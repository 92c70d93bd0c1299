"""How the machine is restarted: into the system that it boots by itself, or once into the other."""

from __future__ import annotations

import os
import subprocess
from typing import Final

from appliance.errors import CardError
from appliance.image import Image

TRYBOOT: Final = "watchlink-tryboot.service"
"""Tells the firmware, for which this program has no right."""
FLAG: Final = b"1"
"""First byte of the stand-in's device."""
_SYSTEMCTL: Final = "/usr/bin/systemctl"
WITHIN_S: Final = 60


def ask_for_trial(image: Image) -> None:
    """Let the next start, and that one alone, be into the system that the card does not boot by itself.

    Raises:
        CardError: it cannot be asked for.
    """
    if not image.stand_in:
        _order("start", TRYBOOT)
        return
    try:
        descriptor = os.open(image.stand_in, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, FLAG, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as e:
        raise CardError(f"the other system cannot be asked for: {e.strerror}") from e


def restart() -> None:
    """Restart the machine.

    Raises:
        CardError: systemd refuses.
    """
    _order("reboot")


def _order(*words: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - words of our own
            [_SYSTEMCTL, *words], capture_output=True, text=True, errors="replace", timeout=WITHIN_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as e:
        raise CardError("systemd does not answer") from e
    if done.returncode:
        raise CardError(f"systemd refuses: {done.stderr.strip()[-120:]}")
