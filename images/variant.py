"""Other versions of an image that was built, for tests of updates: the same root with some lines changed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from appliance.image import IMAGE_FILE
from images.build import make_bundle
from images.card import Parts, make_card
from images.maker import maker_in
from images.programs import run
from images.recipe import Recipe
from images.unit import HOST

HURRY: Final = 4
"""By how much an image under test waits less than one in a shop: :func:`images.build.check_is_for_shops`."""
ASK_EVERY_S: Final = 20
"""How often it asks for a release."""


class Workshop(Struct, frozen=True):
    """Where variants are made.

    Attributes:
        built: folder of a whole build.
        recipe: by which it was built.
        folder: where they are put.
        maker: folder of the key that the image believes.
    """

    built: Path
    recipe: Recipe
    folder: Path
    maker: Path


def make_variant(
    workshop: Workshop, version: str, change: Callable[[Path], None] | None = None, *, card: Path | None = None
) -> Path:
    """The bundle of the image as that version. Needs root's rights.

    Args:
        workshop: where.
        version: of the variant.
        change: of the root, beside version and hurry.
        card: where the image of a card is to be put, too.

    Raises:
        BuildError: a step failed.
    """
    built, recipe, folder = workshop.built, workshop.recipe, workshop.folder
    root = folder / f"root-{version}"
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "--archive", "--reflink=auto", built / "root", root)
    conf = root / IMAGE_FILE.relative_to("/")
    text = re.sub(r"(?m)^VERSION=.*$", f"VERSION={version}", conf.read_text(encoding="utf-8"))
    conf.write_text(f"{text}HURRY={HURRY}\nASK_EVERY_S={ASK_EVERY_S}\n", encoding="utf-8")
    # Time comes from the machine that the unit runs on.
    servers = root / "etc/systemd/timesyncd.conf.d/watchlink.conf"
    servers.write_text(f"[Time]\nNTP={HOST}\nFallbackNTP=\n", encoding="utf-8")
    if change is not None:
        change(root)
    parts = Parts(built / "first.part", built / "boot.part", folder / f"root-{version}.part", built / "data.part")
    run(
        "mksquashfs",
        root,
        parts.root,
        "-noappend",
        "-no-progress",
        "-quiet",
        "-comp",
        "zstd",
        "-Xcompression-level",
        "1",
    )
    shutil.rmtree(root)
    if card is not None:
        make_card(card, recipe.partitions, parts, folder / "work")
    bundle = folder / f"{version}.raucb"
    make_bundle(bundle, parts, replace(recipe, version=version), maker_in(workshop.maker))
    parts.root.unlink()
    return bundle
