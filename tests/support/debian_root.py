"""A minimal Debian for systemd-nspawn, built once into ``var/`` and never written to again.

``python -m tests.support.debian_root`` builds it ahead of the tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.support.booted_system import REPOSITORY

SUITE: Final = "trixie"
PACKAGES: Final = (
    # Tells a shop's network the name of its unit.
    "avahi-daemon",
    "dbus",
    "iproute2",
    "mosquitto",
    "nftables",
    "systemd",
    "systemd-sysv",
    "udev",
    "xfonts-terminus",
    # The radio: codec, sentences, sound.
    "alsa-utils",
    "direwolf",
    "espeak-ng",
    # Papers, as docs/office.md has them.
    "fonts-inter",
    "libharfbuzz-subset0",
    "libpangoft2-1.0-0",
    # What the image uses: Debian's own Python and Debian's own libraries.
    "python3",
    "python3-aiohttp",
    "python3-alembic",
    "python3-cffi",
    "python3-cryptography",
    "python3-gpiozero",
    "python3-jinja2",
    "python3-luma.oled",
    "python3-markdown",
    "python3-msgspec",
    "python3-paho-mqtt",
    "python3-pikepdf",
    "python3-pil",
    "python3-pythonjsonlogger",
    "python3-requests-oauthlib",
    "python3-sdnotify",
    "python3-serial",
    "python3-sqlalchemy",
    "python3-starlette",
    "python3-uvicorn",
    "python3-yaml",
)
LEFT_OUT: Final = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
BUILD_WITHIN_S: Final = 600


def built_once(name: str, build: Callable[[Path], None]) -> Path:
    """``var/NAME``, which ``build`` makes where it is told to, unless it is there. Who comes meanwhile waits for it."""
    root = REPOSITORY / "var" / name
    root.parent.mkdir(exist_ok=True)
    with (root.parent / f"{name.partition('-')[0]}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            building = root.with_suffix(".building")
            shutil.rmtree(building, ignore_errors=True)
            build(building)
            building.rename(root)
    return root


def debian_root() -> Path:
    """The root; a new list of packages makes a new one. Needs root's rights."""
    name = hashlib.sha256("\n".join((SUITE, *PACKAGES, *LEFT_OUT)).encode()).hexdigest()[:12]
    return built_once(f"debian-{name}", _build)


def _build(building: Path) -> None:
    # As an option of mmdebstrap's, it would start a Python for each of the first hundred packages, to filter it.
    left_out = "".join(f"path-exclude={pattern}\\n" for pattern in LEFT_OUT)
    subprocess.run(
        [
            # A namespace of its own: of a build cut short nothing of this machine stays mounted in var/,
            # where clearing up would go through to this machine's own /dev.
            *("unshare", "--mount", "--propagation=private"),
            *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
            "--dpkgopt=force-unsafe-io",
            f"--setup-hook=mkdir -p $1/etc/dpkg/dpkg.cfg.d && printf '{left_out}' >$1/etc/dpkg/dpkg.cfg.d/left-out",
            *(SUITE, str(building)),
        ],
        check=True,
        timeout=BUILD_WITHIN_S,
    )


if __name__ == "__main__":
    debian_root()
