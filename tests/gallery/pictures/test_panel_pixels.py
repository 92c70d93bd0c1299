"""G5: a face on the unit's own panel."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from PIL import Image, ImageStat

from gallery.pictures.marking import NotShownError, Pictures
from gallery.pictures.panel_pixels import panel_pixels
from gallery.pictures.terms import PanelMode, PanelPlace

MONO = PanelPlace(64, 64, "1")
FACES = sorted((Path(__file__).parents[3] / "demo" / "faces").glob("nobody-*.jpg"))


@pytest.mark.parametrize("mode", get_args(PanelMode))
@pytest.mark.parametrize("size", [(64, 64), (96, 96), (60, 64)], ids=str)
def test_pixels_fill_their_place_and_no_more(size: tuple[int, int], mode: PanelMode) -> None:
    place = PanelPlace(*size, mode)

    pixels = panel_pixels(Image.new("RGB", (480, 640), (90, 60, 40)), place)

    assert (size, place.bytes_count) == (Image.frombytes(mode, size, pixels).size, len(pixels))


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.stem)
def test_no_skin_comes_out_black_or_white(face: Path) -> None:
    """A bright wall behind somebody with dark skin once left a black shape with eyes."""
    pixels = Image.frombytes("1", (64, 64), panel_pixels(Image.open(face).convert("RGB"), MONO))
    cheeks = pixels.crop((22, 22, 42, 48)).convert("L")

    assert 0.35 < ImageStat.Stat(cheeks).mean[0] / 255 < 0.85


def test_child_makes_the_same_and_nothing_of_what_is_no_photograph() -> None:
    jpeg = FACES[0].read_bytes()
    pictures = Pictures()
    try:
        assert MONO.bytes_count == len(pictures.for_panel(jpeg, MONO))
        with pytest.raises(NotShownError):
            pictures.for_panel(jpeg[: len(jpeg) // 2], MONO)
        with pytest.raises(NotShownError):
            pictures.for_panel(b"GIF89a" + bytes(99), MONO)
        assert PanelPlace(98, 98, "RGB").bytes_count == len(pictures.for_panel(jpeg, PanelPlace(98, 98, "RGB")))
    finally:
        pictures.close()
