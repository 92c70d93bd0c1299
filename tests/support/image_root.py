"""The root of the card's image, as ``make image ARCH=amd64`` makes it, but for the kernel: for systemd-nspawn.

``python -m tests.support.image_root`` fetches its packages ahead of the tests.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from images import root
from images.build import build_package
from images.recipe import Recipe, read_recipe
from tests.support.debian_root import built_once

VERSION: Final = "0.1.0.202611280000"
EPOCH_S: Final = 1_764_288_000


def recipe() -> Recipe:
    """What it is made of."""
    return read_recipe("amd64", VERSION).without_kernel()


def packages_root() -> Path:
    """A root with the packages alone, made once and never written to. Needs root's rights."""
    wanted = recipe()
    made_of = (wanted.suite, *wanted.machine.components, *wanted.packages, Path(root.__file__).read_text("utf-8"))
    return built_once("image", made_of, lambda building: root.bootstrap(wanted, building))


def image_root(folder: Path) -> Path:
    """The root, with the programs as they are now, in ``folder``."""
    copy = folder / "root"
    subprocess.run(["cp", "--archive", "--reflink=auto", str(packages_root()), str(copy)], check=True)
    root.dress(recipe(), copy, build_package("amd64"), EPOCH_S)
    return copy


if __name__ == "__main__":
    packages_root()
