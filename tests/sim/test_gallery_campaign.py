"""The simulated gallery holds its invariants, and has teeth (G4, G5, G6, G7)."""

from __future__ import annotations

import pytest

from sim.gallery_campaign import live
from sim.gallery_lives import PLANT_LIVES
from sim.gallery_plants import GALLERY_BREAKS, GalleryPlant

SEEDS = range(1, 401)
"""``make sim`` plays 10,000."""
PLANT_SEEDS = range(1, PLANT_LIVES)

pytestmark = pytest.mark.one_python


def test_gallery_holds_every_invariant_and_is_not_idle() -> None:
    lives = [live(seed) for seed in SEEDS]

    assert {} == {life.seed: (life.broken, life.acts) for life in lives if life.broken}
    assert min(sum(life.shown for life in lives), sum(life.hidden for life in lives)) > len(SEEDS)
    assert sum(life.cuts for life in lives) > len(SEEDS) // 4
    assert live(1) == lives[0]


@pytest.mark.parametrize("plant", GalleryPlant)
def test_planted_fault_is_caught(plant: GalleryPlant) -> None:
    lives = (live(seed, plant) for seed in PLANT_SEEDS)
    found = next((life for life in lives if life.broken.split(":")[0] in GALLERY_BREAKS[plant]), None)

    assert found is not None
    assert found.acts, "a failure comes with what was done"
