"""``make image``: from the recipe to a card's image and an update's bundle, with the list of all that is in them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from appliance.core.slot import SLOTS
from appliance.image import IMAGE_FILE
from appliance.slots.autoboot import AUTOBOOT_FILE, autoboot
from images.bill import write_bill
from images.card import Parts, command_line, make_card, make_data, make_fat
from images.emulation import let_run
from images.errors import BuildError
from images.maker import maker_in
from images.programs import run
from images.recipe import Recipe
from images.root import build_root, kernel_version

REPOSITORY: Final = Path(__file__).parent.parent
BOOT_FOLDER: Final = "boot/firmware"
FIRST_FOLDER: Final = "boot/first"
WORKSHOP: Final = REPOSITORY / "var" / "workshop"
KEYRING: Final = "etc/rauc/keyring.pem"
_BLOCK: Final = "131072"
_MADE: Final = re.compile(r"in '(build/\S+\.deb)'")


class Built(Struct, frozen=True):
    """What came of a build.

    Attributes:
        root: the folder with the root's files.
        card: to be written onto an SD card.
        bundle: for units that have an image already.
        bill: CycloneDX.
        licences: as text.
    """

    root: Path
    card: Path
    bundle: Path
    bill: Path
    licences: Path


def image_version(program_version: str, epoch_s: int) -> str:
    """Numbers with dots, which rise with each commit: :func:`wire.release.version_numbers`."""
    return f"{program_version}.{datetime.fromtimestamp(epoch_s, UTC):%Y%m%d%H%M}"


def build(recipe: Recipe, folder: Path, epoch_s: int, maker: Path, say: Callable[[str], None]) -> Built:
    """Build everything anew in ``folder``. Needs root's rights.

    Args:
        recipe: what of.
        folder: where; of an earlier build nothing is kept.
        epoch_s: Unix time of what is built, which is that of its commit.
        maker: folder of the maker's key, which is made if it is not there.
        say: is told each step.

    Raises:
        BuildError: a step failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    signing = maker_in(maker)
    say("Watchlink's package")
    package = build_package(recipe.architecture)
    say(f"Debian {recipe.suite} for {recipe.architecture}, {len(recipe.packages)} packages and what they need")
    root = folder / "root"
    let_run(recipe.architecture, say)
    build_root(recipe, root, package, epoch_s, WORKSHOP)
    check_is_for_shops(root)
    (root / KEYRING).write_bytes(signing[0].read_bytes())
    say("the bill of materials and the licences")
    stem = folder / f"watchlink-{recipe.version}-{recipe.architecture}"
    bill, licences, card, bundle = (
        stem.with_name(stem.name + end) for end in (".cdx.json", ".licences.txt", ".img", ".raucb")
    )
    write_bill(root, bill, licences, name=recipe.machine.compatible, version=recipe.version, epoch_s=epoch_s)
    say("the file systems")
    parts = make_parts(recipe, root, folder, epoch_s)
    make_card(card, recipe.partitions, parts, folder / "work")
    say("the bundle")
    make_bundle(bundle, parts, recipe, signing)
    return Built(root, card, bundle, bill, licences)


def check_is_for_shops(root: Path) -> None:
    """See that its updates take their time, and its questions: what :mod:`images.variant` writes is for tests.

    Raises:
        BuildError: they hurry.
    """
    conf = root / IMAGE_FILE.relative_to("/")
    if any(line.startswith(("HURRY=", "ASK_EVERY_S=")) for line in conf.read_text(encoding="utf-8").splitlines()):
        raise BuildError(f"{conf} has HURRY= or ASK_EVERY_S=, which are for tests alone: updates need their time")


def make_bundle(bundle: Path, parts: Parts, recipe: Recipe, maker: tuple[Path, Path]) -> None:
    """An update of both partitions of a slot, signed. Two bundles of the same files differ by their signing times.

    Raises:
        BuildError: RAUC refused.
    """
    work = bundle.with_suffix(".work")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    lines = [
        "[update]",
        f"compatible={recipe.machine.compatible}",
        f"version={recipe.version}",
        "[bundle]",
        "format=verity",
    ]
    for slot, file in (("boot", parts.boot), ("root", parts.root)):
        shutil.copyfile(file, work / f"{slot}.img")
        lines += [f"[image.{slot}]", f"filename={slot}.img"]
    (work / "manifest.raucm").write_text("\n".join(lines) + "\n", encoding="utf-8")
    bundle.unlink(missing_ok=True)
    certificate, key = maker
    run("rauc", "bundle", f"--cert={certificate}", f"--key={key}", work, bundle)
    shutil.rmtree(work)


def build_package(architecture: str) -> Path:
    """Watchlink's Debian package with what a unit needs.

    Raises:
        BuildError: it cannot be made.
    """
    said = run(REPOSITORY / "scripts/deb", architecture, "node", folder=REPOSITORY)
    found = _MADE.search(said)
    if found is None:
        raise BuildError(f"scripts/deb has made no package; it said:\n{said}")
    return REPOSITORY / found[1]


def make_parts(recipe: Recipe, root: Path, folder: Path, epoch_s: int) -> Parts:
    """The file systems, as files in ``folder``. What goes into boot partitions leaves the root.

    Raises:
        BuildError: a step failed.
    """
    kernel = kernel_version(root)
    boot_files = {str(file.relative_to(root / BOOT_FOLDER)): file for file in _files(root / BOOT_FOLDER)}
    boot_files |= {"vmlinuz": root / f"boot/vmlinuz-{kernel}", "initrd.img": root / f"boot/initrd.img-{kernel}"}
    first_files = {str(file.relative_to(root / FIRST_FOLDER)): file for file in _files(root / FIRST_FOLDER)}
    written = folder / "written"
    written.mkdir()
    for slot in SLOTS:
        boot_files[f"cmdline-{slot}.txt"] = written / f"cmdline-{slot}.txt"
        boot_files[f"cmdline-{slot}.txt"].write_text(command_line(slot), encoding="ascii")
    first_files[AUTOBOOT_FILE] = written / AUTOBOOT_FILE
    first_files[AUTOBOOT_FILE].write_bytes(autoboot("a"))
    parts = Parts(*(folder / f"{name}.part" for name in ("first", "boot", "root", "data")))
    make_data(parts.data, recipe.partitions.data, epoch_s)
    make_fat(parts.first, recipe.partitions.first, first_files, "WATCHLINK", epoch_s)
    make_fat(parts.boot, recipe.partitions.boot, boot_files, "BOOT", epoch_s)
    kept = written / "boot"
    (root / "boot").rename(kept)
    (root / "boot").mkdir()
    run(
        *("mksquashfs", root, parts.root, "-noappend", "-no-progress", "-quiet", "-no-exports"),
        *("-comp", "zstd", "-Xcompression-level", "15", "-b", _BLOCK),
        *("-mkfs-time", str(epoch_s), "-all-time", str(epoch_s)),
    )
    shutil.rmtree(kept)
    return parts


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())
