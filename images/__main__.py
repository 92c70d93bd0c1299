"""``python -m images``: build an image, boot it, test its updates."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from demo.fitting import TownError
from demo.notice import NeverCameError
from images.build import REPOSITORY, build, image_version
from images.errors import BuildError, CardError, RecipeError
from images.recipe import read_recipe
from images.unit import HOST
from images.variant import Workshop, make_variant

BUILT: Final = REPOSITORY / "build" / "image"
_WITH_US: Final = ("setpriv", "--pdeathsig", "INT", "--")
_IN_OWN_NETWORK: Final = "WATCHLINK_IMAGE_NETWORK"
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
    except (BuildError, CardError, TownError, NeverCameError) as e:
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
    booting = commands.add_parser("boot", help="from a blank card to an answered alert, in QEMU")
    booting.add_argument("--arch", default="amd64", help="arm64: the Pi's image, as far as QEMU can start it")
    booting.add_argument("--json", action="store_true", dest="is_json", help="facts as lines of JSON")
    booting.add_argument("--keep", type=Path, metavar="FOLDER", help="keep card and console there")
    booting.set_defaults(run=_boot)
    testing = commands.add_parser("test", help="updates in QEMU: a good one, a bad one, power cuts, and faults")
    testing.add_argument("--json", action="store_true", dest="is_json", help="facts as lines of JSON")
    testing.add_argument("--keep", type=Path, metavar="FOLDER", help="keep card and console there")
    testing.add_argument(
        "--cuts", type=int, default=10, metavar="N", help="power cuts in each step; default: %(default)s"
    )
    testing.add_argument(
        "--only",
        action="append",
        metavar="ACT",
        help="updates, cuts, faults or one fault (docs/images.md); repeat for more; default: all",
    )
    testing.add_argument("--seed", type=int, default=1, metavar="N", help="of the moments of the cuts")
    testing.add_argument(
        "--card", type=int, default=0, metavar="N", help="each fact names it, and it has its own folder"
    )
    testing.set_defaults(run=_test)
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


def _boot(given: argparse.Namespace) -> int:
    from images.boot import Story, blank_card, on_a_bench  # noqa: PLC0415 - a town's programs, which no build needs
    from images.start import armed, claims  # noqa: PLC0415 - as above

    image = built_card(given.arch)
    enter_own_network()
    story = Story(is_json=given.is_json)
    with contextlib.ExitStack() as kept:
        folder = given.keep or Path(kept.enter_context(tempfile.TemporaryDirectory(dir=BUILT)))
        folder.mkdir(parents=True, exist_ok=True)
        if given.arch == "amd64":
            asyncio.run(on_a_bench(image, folder, story, lambda bench: blank_card(bench, story)))
            return 0
        for machine in ("virt", "raspi3b"):
            (folder / machine).mkdir(exist_ok=True)
        asyncio.run(on_a_bench(image, folder / "virt", story, lambda bench: armed(bench, story), "virt"))
        claims(image, folder / "raspi3b", story)
    return 0


def _test(given: argparse.Namespace) -> int:
    from images.boot import Bench, Story, on_a_bench  # noqa: PLC0415 - as above
    from images.faults import FAULTS, Faults  # noqa: PLC0415
    from images.shelf import Shelf  # noqa: PLC0415
    from images.updates import BASE, TimeServer, good_and_bad, power_cuts  # noqa: PLC0415

    if given.only is None:
        return _on_two_cards(given)
    asked = given.only
    unknown = sorted({*asked} - {"updates", "cuts", "faults", *FAULTS})
    if unknown:
        raise RecipeError(f"--only {unknown[0]}: there are updates, cuts, faults, {', '.join(FAULTS)}")
    faults = [name for name in FAULTS if name in asked or "faults" in asked]
    enter_own_network()
    built_card("amd64")
    folder = (given.keep or BUILT / "updates") / (f"card-{given.card}" if given.card else "")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    workshop = Workshop(BUILT / "amd64", read_recipe("amd64", BASE), folder, MAKER)
    story = Story(is_json=given.is_json, card=given.card)
    card = folder / f"{BASE}.img"
    make_variant(workshop, BASE, card=card)
    shelf = Shelf(workshop, "0.1.1")

    async def play(bench: Bench) -> None:
        await bench.town.watch_room.start_duty()
        with TimeServer() as times:
            await bench.start()
            if "updates" in asked:
                await good_and_bad(bench, story, shelf)
            if "cuts" in asked:
                await power_cuts(bench, story, shelf, given.cuts, given.seed)
            await Faults(bench, story, shelf, times).play(faults)

    asyncio.run(on_a_bench(card, folder, story, play))
    return 0


def _on_two_cards(given: argparse.Namespace) -> int:
    """All of it at once, each half as a program: one machine in QEMU often waits, and leaves a processor idle.

    Returns:
        0 = both halves did.
    """
    more = given.cuts // 2
    halves = ((given.cuts - more, ("updates", "cuts")), (more, ("cuts", "faults")))
    words = (["--json"] if given.is_json else []) + (["--keep", str(given.keep)] if given.keep else [])
    programs = []
    for card, (cuts, acts) in enumerate(halves, 1):
        only = [word for act in acts if cuts or act != "cuts" for word in ("--only", act)]
        chosen = [*only, "--cuts", str(cuts), "--seed", str(given.seed + card - 1), "--card", str(card)]
        command = [*_WITH_US, sys.executable, "-m", "images", "test", *chosen, *words]
        programs.append(subprocess.Popen(command))
    try:
        return max(program.wait() for program in programs)
    except KeyboardInterrupt:  # They were interrupted as well, and clear up.
        for program in programs:
            program.wait()
        raise


def enter_own_network() -> None:
    """Run again in a network namespace that has a loopback and nothing else: what a machine in QEMU says stays here.

    The address by which that machine finds this one is this one's own there, for the programs that run here.
    """
    if os.environ.get(_IN_OWN_NETWORK):
        return
    link = f"ip link set lo up && ip address add {HOST}/32 dev lo"
    again = [sys.executable, "-m", "images", *sys.argv[1:]]
    os.environ[_IN_OWN_NETWORK] = "yes"
    os.execvp("unshare", ["unshare", "--net", "sh", "-c", f'{link} && exec "$@"', "images", *again])  # noqa: S606


def built_card(architecture: str) -> Path:
    """The newest that was built.

    Raises:
        BuildError: there is none.
    """
    cards = sorted((BUILT / architecture).glob("*.img"))
    if not cards:
        raise BuildError(f"there is no image: 'make image ARCH={architecture}' builds it")
    return cards[-1]


def commit_epoch_s() -> int:
    """When what is built was committed, as Unix time: the same for two builds of it."""
    said = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=REPOSITORY, capture_output=True, check=True)
    return int(said.stdout)


def program_version() -> str:
    """Watchlink's."""
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


if __name__ == "__main__":
    sys.exit(main())
