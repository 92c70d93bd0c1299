"""A minimal Debian for systemd-nspawn, built once into ``var/`` and never written to again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]
UNITS: Final = REPOSITORY / "systemd"
SUITE: Final = "trixie"
PACKAGES: Final = (
    "dbus",
    "mosquitto",
    "systemd",
    "systemd-sysv",
    "udev",
    "xfonts-terminus",
    # The radio: codec, sentences, sound.
    "alsa-utils",
    "direwolf",
    "espeak-ng",
    # What the image uses: Debian's own Python and Debian's own libraries.
    "python3",
    "python3-alembic",
    "python3-cryptography",
    "python3-gpiozero",
    "python3-jinja2",
    "python3-luma.oled",
    "python3-msgspec",
    "python3-paho-mqtt",
    "python3-pil",
    "python3-pythonjsonlogger",
    "python3-sdnotify",
    "python3-serial",
    "python3-sqlalchemy",
    "python3-starlette",
    "python3-uvicorn",
)
LEFT_OUT: Final = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")


@pytest.fixture(scope="session")
def debian_root() -> Path:
    """The root; a new list of packages makes a new one."""
    if os.geteuid() != 0:
        pytest.skip("only root can build a root file system and boot it under systemd-nspawn")
    name = hashlib.sha256("\n".join((SUITE, *PACKAGES, *LEFT_OUT)).encode()).hexdigest()[:12]
    root = REPOSITORY / "var" / f"debian-{name}"
    root.parent.mkdir(exist_ok=True)
    with (root.parent / "debian.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            building = root.with_suffix(".building")
            shutil.rmtree(building, ignore_errors=True)
            subprocess.run(
                [
                    *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
                    *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
                    *(SUITE, str(building)),
                ],
                check=True,
                timeout=600,
            )
            building.rename(root)
    return root
