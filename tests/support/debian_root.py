"""A minimal Debian for systemd-nspawn, built once and never written to again.

``python -m tests.support.debian_root`` builds it ahead of the tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from images.errors import BuildError
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
BUILD_WITHIN_S: Final = 1_800
CACHE: Final = Path("/var/cache/watchlink-tests")
KEPT_S: Final = 14 * 86_400
"""How long one is kept that nobody makes any more: another clone may still boot it."""


def built_once(kind: str, made_of: Iterable[str], build: Callable[[Path], None], cache: Path | None = None) -> Path:
    """A root that ``build`` makes where it is told to, unless it is there. Who comes meanwhile waits for it.

    All clones of a machine share it, as they share what uv has unpacked. As Debian mends its packages, it is made anew
    each week. If Debian cannot be reached then, which is no fault of what is tested, the one of another week has to do.

    Args:
        kind: its first name.
        made_of: what another one would be made for: names of packages, and the text of the code that builds.
        build: called with a folder that is not there yet.
        cache: where to; ``None`` = the machine's, or this clone's if that cannot be written.
    """
    if cache is None:
        cache = CACHE if os.access(CACHE.parent, os.W_OK) else REPOSITORY / "var"
    cache.mkdir(exist_ok=True)
    today = datetime.now(UTC).isocalendar()
    digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()
    root = cache / f"{kind}-{today.year}-{today.week:02}-{digest[:12]}"
    with (cache / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            for old in cache.glob(f"{kind}-*"):
                if old.stat().st_mtime < time.time() - KEPT_S:
                    shutil.rmtree(old)
            building = root.with_suffix(".building")
            shutil.rmtree(building, ignore_errors=True)
            try:
                build(building)
            except (subprocess.SubprocessError, BuildError) as e:
                others = sorted(cache.glob(f"{kind}-*-{digest[:12]}"))
                if not others:
                    raise
                sys.stderr.write(f"{others[-1].name} has to do, for no newer one could be made: {e}\n")
                return others[-1]
            building.rename(root)
            os.utime(root)
    return root


def debian_root() -> Path:
    """The root. Needs root's rights."""
    return built_once("debian", (SUITE, *PACKAGES, *LEFT_OUT, Path(__file__).read_text(encoding="utf-8")), _build)


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
