"""Bundles for tests of updates, made as they are needed: each has a higher version than the one before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from images.build import make_bundle
from images.card import Parts
from images.maker import maker_in
from images.variant import Workshop, make_variant

_MIB: Final = 1024 * 1024
_SMALL_MIB: Final = 4


class Shelf:
    """The bundles.

    Args:
        workshop: where they are made.
        series: what their versions begin with.
    """

    def __init__(self, workshop: Workshop, series: str) -> None:
        self.workshop = workshop
        self._series = series
        self._made = 0

    async def whole(self, change: Callable[[Path], None] | None = None) -> tuple[str, Path]:
        """Version and bundle of the image; see :func:`make_variant`."""
        version = self._next()
        return version, await asyncio.to_thread(make_variant, self.workshop, version, change)

    async def small(
        self, *, version: str = "", compatible: str = "", maker: tuple[Path, Path] | None = None
    ) -> tuple[str, Path]:
        """Version and bundle of something that no unit starts: for one that never comes so far.

        Args:
            version: instead of the next one.
            compatible: instead of the image's hardware.
            maker: certificate and key, instead of the image's own.
        """
        version = version or self._next()
        folder = self.workshop.folder
        parts = [folder / f"small-{name}.part" for name in ("boot", "root")]
        for part in parts:
            part.write_bytes(os.urandom(_SMALL_MIB * _MIB))
        boot, root = parts
        recipe = self.workshop.recipe
        machine = replace(recipe.machine, compatible=compatible or recipe.machine.compatible)
        bundle = folder / f"{version}-{compatible or 'small'}.raucb"
        await asyncio.to_thread(
            make_bundle,
            bundle,
            Parts(boot, boot, root, root),
            replace(recipe, version=version, machine=machine),
            maker or maker_in(self.workshop.maker),
        )
        return version, bundle

    def stranger(self) -> tuple[Path, Path]:
        """Certificate and key of a maker whom no unit knows."""
        return maker_in(self.workshop.folder / "stranger")

    def _next(self) -> str:
        self._made += 1
        return f"{self._series}.{self._made}"
