"""G5: a picture and its lines on each panel; silent marks stay where staff look for them (N4)."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops

from node.core.screens import Dots, Face, Picture, PictureMode, Screen
from node.hw.drawing import draw_screen, lit_share, place_of_picture
from node.hw.profiles import PROFILES, Panel
from node.hw.typeface import Typeface

LINES = ("HART-0042", "Banned to", "03 Nov 27", "View 1234")
PANELS = ("ssd1309-128x64", "ssd1351-128x128", "ssd1322-256x64")
every_panel = pytest.mark.parametrize("panel", [PROFILES[name].panel for name in PANELS], ids=PANELS)


def pictured(panel: Panel, pixel: int, *, lines: tuple[str, ...] = LINES, dots: Dots = Dots.NONE) -> Screen:
    place = place_of_picture(panel)
    picture = Picture(place, bytes([pixel]) * place.bytes_count, lines)
    return Screen(Face.GALLERY, (), dots=dots, picture=picture)


@every_panel
def test_picture_fills_its_place_and_covers_no_word(panel: Panel, terminus: Typeface) -> None:
    place = place_of_picture(panel)
    dark, lit = (draw_screen(pictured(panel, pixel), panel, terminus) for pixel in (0x00, 0xFF))

    assert (panel.width_px, panel.height_px) == lit.size
    different = ImageChops.difference(dark.convert("L"), lit.convert("L"))
    assert place.width_px * place.height_px == round(lit_share(different) * different.width * different.height)
    assert lit_share(dark) > 0.02, "the lines are there"


@every_panel
@pytest.mark.parametrize("dots", [Dots.SAVED, Dots.RECEIVED, Dots.ANSWERED, Dots.UNDELIVERED])
def test_silent_marks_are_on_a_picture_too(panel: Panel, dots: Dots, terminus: Typeface) -> None:
    without, marked = (draw_screen(pictured(panel, 0xFF, dots=d), panel, terminus) for d in (Dots.NONE, dots))

    assert ImageChops.difference(without.convert("L"), marked.convert("L")).getbbox() is not None
    right_px = min(panel.width_px, 128)
    assert marked.convert("L").getpixel((right_px - 1, panel.height_px - 1)) == 255


def test_words_stay_black_and_white_where_a_picture_is_grey(terminus: Typeface) -> None:
    panel = PROFILES["ssd1322-256x64"].panel
    place = place_of_picture(panel)
    assert PictureMode.GREY is place.mode

    image = draw_screen(pictured(panel, 0x80), panel, terminus)

    assert "RGB" == image.mode
    levels = Image.Image.getcolors(image.crop((place.width_px, 0, panel.width_px, panel.height_px)))
    assert {colour for _, colour in levels or ()} == {(0, 0, 0), (255, 255, 255)}
    assert "1" == draw_screen(Screen(Face.READY, ("READY",)), panel, terminus).mode
