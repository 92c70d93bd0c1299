"""The letters: Terminus Bold from Debian's ``xfonts-terminus``, or Pillow's own font where that is missing.

Owns which characters can be drawn. One that cannot is spelled in the nearest letters that can; a run of those for which
there are none is one mark that is seen.
"""

from __future__ import annotations

import gzip
import io
import zlib
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from node.core.spelling import plain
from node.hw.errors import PartError

TERMINUS_DIR: Final = Path("/usr/share/fonts/X11/misc")
SIZES_PX: Final = (32, 24, 16, 12)

_STAND_INS: Final = {
    "✓": "+",
    "✗": "x",
    "●": "*",
    "▲": "^",
    "►": ">",
    "…": ".",
    "·": ".",
    "–": "-",
    "—": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "′": "'",
    "″": '"',
    "\N{NO-BREAK SPACE}": " ",
}
_UNKNOWN: Final = "?"

LIT: Final = 255
"""A lit pixel of a mode ``1`` image: Pillow keeps any other number as it is, and it would not invert."""

_OWN_GLYPHS_PX: Final = 12


def _glyph(*rows: str) -> Image.Image:
    """A 12 px cell from the pixels of its rows 2 to 9."""
    cell = Image.new("1", (6, _OWN_GLYPHS_PX))
    for y_px, row in enumerate(rows, start=2):
        for x_px, pixel in enumerate(row):
            cell.putpixel((x_px, y_px), LIT if pixel == "#" else 0)
    return cell


# Terminus draws these as wide as its cell, so that they melt into the letter beside them.
_OWN_GLYPHS: Final = {
    "✓": _glyph("......", ".....#", "....##", ".#..#.", ".##.#.", "..###.", "...#..", "......"),
    "▲": _glyph("......", "..#...", "..#...", ".###..", ".###..", "#####.", "#####.", "......"),
    "►": _glyph("#.....", "##....", "####..", "#####.", "####..", "##....", "#.....", "......"),
}

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Typeface:
    """A fixed-height face in the sizes 12, 16, 24 and 32 px.

    Args:
        directory: where ``ter-u12b_unicode.pcf.gz`` and its sisters are.

    Attributes:
        fault: why Terminus is not in use, in one line; empty when it is.
    """

    def __init__(self, directory: Path = TERMINUS_DIR) -> None:
        self._directory = directory
        self.load()

    def load(self) -> None:
        """Read the fonts, again if need be: somebody may have installed them."""
        self.fault = ""
        try:
            self._fonts: dict[int, Font] = {size_px: _terminus(self._directory, size_px) for size_px in SIZES_PX}
        except PartError as error:
            self.fault = str(error)
            self._fonts = {size_px: _built_in(size_px) for size_px in SIZES_PX}
        self._is_drawn = lru_cache(maxsize=1024)(self._probe)

    def width_px(self, text: str, size_px: int) -> int:
        """How far ``text`` reaches, in whole pixels."""
        return round(self._fonts[size_px].getlength(text))

    def showable(self, text: str) -> str:
        """``text`` in characters that this face has."""
        runs = groupby(map(self._spelling, text), key=bool)
        return "".join("".join(run) if is_spelled else _UNKNOWN for is_spelled, run in runs)

    def fitted(self, text: str, size_px: int, width_px: int) -> str:
        """``text``, showable, cut to ``width_px`` with a ``…`` where it is too long."""
        text = self.showable(text)
        if self.width_px(text, size_px) <= width_px:
            return text
        mark = self.showable("…")
        while text and self.width_px(text + mark, size_px) > width_px:
            text = text[:-1]
        return text.rstrip() + mark

    def draw(
        self, canvas: ImageDraw.ImageDraw, left_px: int, top_px: int, text: str, size_px: int, *, tracking_px: int = 0
    ) -> None:
        """Draw in white, hard-edged.

        Args:
            canvas: of mode ``1``.
            left_px: where the first cell begins.
            top_px: top of the ``size_px`` high line.
            text: showable.
            size_px: one of :data:`SIZES_PX`.
            tracking_px: added between two characters.
        """
        for n, character in enumerate(text):
            place = (left_px + self.width_px(text[:n], size_px) + n * tracking_px, top_px)
            own = _OWN_GLYPHS.get(character) if size_px == _OWN_GLYPHS_PX and not self.fault else None
            if own is None:
                canvas.text(place, character, fill=LIT, font=self._fonts[size_px])
            else:
                canvas.bitmap(place, own, fill=LIT)

    def _spelling(self, character: str) -> str:
        if not self._has(character):
            character = _STAND_INS.get(character, character)
        return plain(character, self._has)

    def _has(self, character: str) -> bool:
        # The picture of what is missing is a question mark in Terminus: its own looks as if it were missing.
        return character in {" ", _UNKNOWN} or self._is_drawn(character)

    def _probe(self, character: str) -> bool:
        """Whether the face has its own picture of this character."""
        font = self._fonts[SIZES_PX[-1]]
        picture = _picture(font, character)
        # A noncharacter: no font has it, so its picture is the one for "missing".
        return any(picture) and picture != _picture(font, "\uffff")


def _picture(font: Font, character: str) -> bytes:
    image = Image.new("1", (24, 24))
    try:
        ImageDraw.Draw(image).text((4, 4), character, fill=LIT, font=font)
    except UnicodeEncodeError:  # Pillow's oldest font knows Latin-1 only
        return b""
    return image.tobytes()


def _terminus(directory: Path, size_px: int) -> Font:
    path = directory / f"ter-u{size_px}b_unicode.pcf.gz"
    try:
        # Unpacked here: FreeType would unpack the file anew for every letter, and take ten times as long for a face.
        # From memory: given a path that is not there, Pillow quietly looks for the name all over the system.
        unpacked = io.BytesIO(gzip.decompress(path.read_bytes()))
        # Basic layout: no shaping library, and one cell a character.
        return ImageFont.truetype(unpacked, size_px, layout_engine=ImageFont.Layout.BASIC)
    except (OSError, EOFError, zlib.error) as error:
        raise PartError(f"Terminus font cannot be read (install xfonts-terminus): {path}: {error}") from error


def _built_in(size_px: int) -> Font:
    """Pillow's own face, small enough to stand in a line of ``size_px``."""
    return ImageFont.load_default(size=size_px * 3 // 4)
