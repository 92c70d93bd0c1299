"""How the machine is restarted: into the system that it boots by itself, or once into the other."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from appliance.card.errors import CardError
from appliance.image import Image

REBOOT_PARAM: Final = Path("/run/systemd/reboot-param")
"""What systemd hands to the kernel with the restart (systemd-shutdown, reboot(2)); the Pi's firmware gets it."""
TRYBOOT: Final = "0 tryboot"
FLAG: Final = b"1"
"""First byte of the stand-in's device."""


def ask_for_trial(image: Image, reboot_param: Path = REBOOT_PARAM) -> None:
    """Let the next start, and that one alone, be into the system that the card does not boot by itself.

    Raises:
        CardError: it cannot be asked for.
    """
    try:
        if image.stand_in:
            descriptor = os.open(image.stand_in, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.pwrite(descriptor, FLAG, 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        else:
            reboot_param.write_text(f"{TRYBOOT}\n", encoding="ascii")
    except OSError as e:
        raise CardError(f"the other system cannot be asked for: {e.strerror}") from e


def restart() -> None:
    """Restart the machine.

    Raises:
        CardError: systemd refuses.
    """
    done = subprocess.run(["/usr/bin/systemctl", "reboot"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CardError(f"the machine cannot be restarted: {done.stderr.strip()[-120:]}")
