"""With sealing switched off in a whole town the search for leaks finds every sort of thing, wherever it lies (G6)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest

import demo.opening
from demo.opening import open_town
from demo.program import FactTaker, Program
from demo.scripts import gallery
from demo.scripts.exclusion import NAME
from demo.scripts.registry import SCRIPTS
from demo.scripts.stage import Stage
from demo.town import Town
from demo.town_leaks import Searched, search_town

pytestmark = pytest.mark.integration

PLACES = {
    f"name {NAME}": "gallery-*.log",
    "key of a text": "gallery-*.out",
    "key of a photograph": "gallery-*.out",
    "sealing key": "gallery-*.out",
    "photograph, as it was handed in": "*.original.jpg",
    "photograph, portrait": "nodes/*/gallery/portrait.jpg",
    "photograph, small": "nodes/*/gallery/small.jpg",
    "photograph, watermarked": "tmp/*",
    "photograph, on the panel": "nodes/*/gallery/panel.raw",
} | {f"name {name}": "nodes/*/gallery/state/card/gallery.db*" for name in gallery.STAFF}


class UnsealedTown(Town):
    """Its programs write down what they should not."""

    def program(self, name: str, command: list[str], node: str, take: FactTaker | None = None) -> Program:
        """The same program, started by this test's module."""
        unsealed = ["tests.support.unsealed" if word == "watchlink.cli" else word for word in command]
        return super().program(name, unsealed, node, take)


async def searched(folder: Path) -> tuple[Searched, Path]:
    """What the search finds in such a town, while a face is in its shops."""
    async with open_town(folder, plan=SCRIPTS["gallery"].plan) as town:
        stage = Stage(town)
        async with gallery.played(stage) as case:
            pass
        assert PLACES.keys() == case.needles.sorts.keys()
        found = await search_town(town, case.needles)
        assert (town.folder / "broker/state/mosquitto.db").exists()
        assert not stage.judge().is_passed
        assert stage.counted["leaks"] >= len(PLACES)
        return found, town.folder


def test_everything_is_found_where_nothing_is_sealed(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.opening, "Town", UnsealedTown)

    found, folder = asyncio.run(searched(short_folder))

    where = defaultdict(set)
    for leak in found.leaks:
        where[leak.what].add(leak.path.relative_to(folder))
    assert not found.missed
    assert [] == [what for what, pattern in PLACES.items() if not any(path.match(pattern) for path in where[what])]
