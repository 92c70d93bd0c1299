"""The root of the card's image, as ``make image ARCH=amd64`` makes it, but for the kernel: for systemd-nspawn.

``python -m tests.support.image_root`` fetches its packages ahead of the tests.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Final

from images.build import build_package
from images.recipe import Recipe, read_recipe
from images.root import bootstrap, dress
from tests.support.debian_root import built_once

VERSION: Final = "0.1.0.202611280000"
EPOCH_S: Final = 1_764_288_000


def recipe() -> Recipe:
    """What it is made of."""
    return read_recipe("amd64", VERSION).without_kernel()


def packages_root() -> Path:
    """A root with the packages alone, made once and never written to. Needs root's rights."""
    wanted = recipe()
    name = hashlib.sha256("\n".join((wanted.suite, *wanted.packages)).encode()).hexdigest()[:12]
    return built_once(f"image-{name}", lambda building: bootstrap(wanted, building))


def image_root(folder: Path) -> Path:
    """The root, with the programs as they are now, in ``folder``."""
    root = folder / "root"
    subprocess.run(["cp", "--archive", "--reflink=auto", str(packages_root()), str(root)], check=True)
    dress(recipe(), root, build_package("amd64"), EPOCH_S)
    return root


if __name__ == "__main__":
    packages_root()
