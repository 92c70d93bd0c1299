"""``python -m images``: build an image, boot it, test its updates."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from images.build import REPOSITORY, build, image_version
from images.errors import BuildError, RecipeError
from images.recipe import read_recipe

BUILT: Final = REPOSITORY / "build" / "image"
MAKER: Final = REPOSITORY / "var" / "maker"
"""Unless another is given. `make clean` takes it away: units with images that were signed by it need new cards then."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 = done, 1 = it failed, 2 = what was given cannot be used."""
    given = _parser().parse_args(arguments)
    try:
        status: int = given.run(given)
    except RecipeError as e:
        print(f"image: {e}", file=sys.stderr)
        return 2
    except BuildError as e:
        print(f"image: {e}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m images", description="The SD card's image.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    making = commands.add_parser("build", help="build card and bundle into build/image/ARCHITECTURE")
    making.add_argument("--arch", default="arm64", help="arm64 (a Raspberry Pi) or amd64 (QEMU); default: %(default)s")
    making.add_argument("--set", action="append", default=[], dest="chosen", metavar="NAME=VALUE", help="a variable")
    making.add_argument("--maker", type=Path, default=MAKER, metavar="FOLDER", help="of the key that signs bundles")
    making.set_defaults(run=_build)
    return parser


def _build(given: argparse.Namespace) -> int:
    chosen = {}
    for one in given.chosen:
        name, separator, value = one.partition("=")
        if not separator:
            raise RecipeError(f"--set {one}: write NAME=VALUE")
        chosen[name] = value
    epoch_s = commit_epoch_s()
    recipe = read_recipe(given.arch, image_version(program_version(), epoch_s), chosen)
    began_s = time.monotonic()

    def say(step: str) -> None:
        print(f"image: {time.monotonic() - began_s:4.0f} s  {step}", flush=True)

    built = build(recipe, BUILT / given.arch, epoch_s, given.maker, say)
    say("done")
    for file in (built.card, built.bundle, built.bill, built.licences):
        print(f"image: {file.relative_to(REPOSITORY)}, {file.stat().st_size / 1e6:.1f} MB")
    return 0


def commit_epoch_s() -> int:
    """When what is built was committed, as Unix time: the same for two builds of it."""
    said = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=REPOSITORY, capture_output=True, check=True)
    return int(said.stdout)


def program_version() -> str:
    """Watchlink's."""
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


if __name__ == "__main__":
    sys.exit(main())
