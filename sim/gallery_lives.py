"""The gallery's part of ``make sim``: many lives, and every planted fault."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from typing import Final

from sim.gallery_campaign import GalleryResult, live
from sim.gallery_plants import GALLERY_BREAKS, GalleryPlant

LIVES: Final = 10_000
PLANT_LIVES: Final = 400
_CHUNK: Final = 50


def play(pool: Executor, first: int, count: int) -> tuple[bool, list[str]]:
    """Play lives from a seed on; returns whether nothing broke, and lines for people."""
    lives = list(pool.map(live, range(first, first + count), chunksize=_CHUNK))
    broken = [life for life in lives if life.broken]
    total = (
        f"{count} galleries, {sum(life.boots for life in lives)} boots, {sum(life.cuts for life in lives)} power cuts,"
        f" {sum(life.shown for life in lives)} faces shown, {sum(life.hidden for life in lives)} hidden for a true"
        f" reason: {len(broken)} broken"
    )
    return not broken, [total, *(line for life in broken[:5] for line in tell(life))]


def catch(pool: Executor, first: int) -> tuple[bool, list[str]]:
    """Look for each planted fault; returns whether all were caught, and lines for people."""
    lines, is_all_caught = [], True
    for plant in GalleryPlant:
        lives = pool.map(partial(live, plant=plant), range(first, first + PLANT_LIVES), chunksize=_CHUNK)
        found = next((one for one in lives if one.broken.split(":")[0] in GALLERY_BREAKS[plant]), None)
        is_all_caught &= found is not None
        caught = "NOT CAUGHT" if found is None else f"caught, seed {found.seed}: {found.broken}"
        lines.append(f"planted {plant}: {caught}")
    return is_all_caught, lines


def tell(life: GalleryResult) -> Iterator[str]:
    """One life, for whoever looks for its fault."""
    yield f"gallery seed {life.seed}: {life.broken or 'nothing broke'}"
    yield from (f"    {act}" for act in life.acts[-60:])
