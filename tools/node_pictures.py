"""Draws every face into PNG files: ``python -m tools.node_pictures --out docs/pictures``.

The pixels are the panel's, four times as large, in the panel's yellow; the same run makes the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from node.hw.drawing import draw_screen, place_of_picture
from node.hw.profiles import DEFAULT_PROFILE, PROFILES, Panel
from node.hw.typeface import Typeface
from tools.specimens import SPECIMENS, gallery_entry

SCALE: Final = 4
_YELLOW: Final = (0xFF, 0xD9, 0x3B)
_GLASS: Final = (0x0B, 0x0B, 0x0A)
_BEZEL: Final = (0x2A, 0x2C, 0x2E)
_LABEL: Final = (0xAE, 0xB8, 0xC2)
_PAGE: Final = (0x15, 0x18, 0x1C)
_BORDER_PX: Final = 10
_GAP_PX: Final = 18
_LABEL_PX: Final = 26
_LABEL_SIZE_PX: Final = 16
_COLUMNS: Final = 3
_WIDE_ASIDE: Final = ("On duty", "CCTV control room", "PCSO J Patel", "Crown: all quiet")


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures; returns 1 if the font is missing, because pictures in another would mislead."""
    parser = argparse.ArgumentParser(prog="python -m tools.node_pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="folder for the PNG files")
    out: Path = parser.parse_args(arguments).out
    typeface = Typeface()
    if typeface.fault:
        sys.stderr.write(f"{typeface.fault}\n")
        return 1
    out.mkdir(parents=True, exist_ok=True)
    panel = PROFILES[DEFAULT_PROFILE].panel
    faces = {name: framed(draw_screen(screen, panel, typeface)) for name, screen in SPECIMENS.items()}
    for name, picture in faces.items():
        picture.save(out / f"oled-{name}.png", optimize=True)
    contact_sheet(faces, typeface).save(out / "oled-faces.png", optimize=True)
    _other_panel("ssd1351-128x128", ("neighbour-later", "neighbour", "received"), typeface).save(
        out / "oled-colour.png", optimize=True
    )
    _other_panel("ssd1322-256x64", ("ready", "neighbour"), typeface).save(out / "oled-wide.png", optimize=True)
    sys.stdout.write(f"{len(faces) + 3} pictures in {out}\n")
    return 0


def framed(image: Image.Image) -> Image.Image:
    """A panel's picture, enlarged by :data:`SCALE`, tinted and with a border."""
    glass = image if image.mode == "RGB" else _tinted(image)
    large = glass.resize((image.width * SCALE, image.height * SCALE), Image.Resampling.NEAREST)
    picture = Image.new("RGB", (large.width + 2 * _BORDER_PX, large.height + 2 * _BORDER_PX), _BEZEL)
    picture.paste(large, (_BORDER_PX, _BORDER_PX))
    return picture


def contact_sheet(pictures: dict[str, Image.Image], typeface: Typeface, columns: int = _COLUMNS) -> Image.Image:
    """All pictures in a grid, each above its name."""
    width_px = max(picture.width for picture in pictures.values()) + _GAP_PX
    height_px = max(picture.height for picture in pictures.values()) + _LABEL_PX + _GAP_PX
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width_px + _GAP_PX, rows * height_px + _GAP_PX), _PAGE)
    for n, (name, picture) in enumerate(pictures.items()):
        row, column = divmod(n, columns)
        left_px, top_px = _GAP_PX + column * width_px, _GAP_PX + row * height_px
        sheet.paste(picture, (left_px, top_px))
        label = Image.new("1", (picture.width, _LABEL_PX))
        typeface.draw(ImageDraw.Draw(label), _BORDER_PX, 4, name, _LABEL_SIZE_PX)
        sheet.paste(_LABEL, (left_px, top_px + picture.height), mask=label)
    return sheet


def _other_panel(profile: str, names: tuple[str, ...], typeface: Typeface) -> Image.Image:
    panel: Panel = PROFILES[profile].panel
    screens = {name: SPECIMENS[name] for name in names} | {"gallery-entry": gallery_entry(place_of_picture(panel))}
    pictures = {name: framed(draw_screen(one, panel, typeface, aside=_WIDE_ASIDE)) for name, one in screens.items()}
    return contact_sheet(pictures, typeface, columns=len(pictures) if panel.is_colour else 1)


def _tinted(image: Image.Image) -> Image.Image:
    glass = Image.new("RGB", image.size, _GLASS)
    glass.paste(_YELLOW, mask=image)
    return glass


if __name__ == "__main__":
    raise SystemExit(main())
