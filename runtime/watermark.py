"""Burns a reader's words into a picture: legible, and the face still known. For a caged child: imports Pillow."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_ANGLE: Final = math.radians(28)
_LETTER_OF_WIDTH: Final = 1 / 26
"""Height of letters, of the picture's width."""
_LETTER_PX: Final = (9, 40)
_ROWS_APART: Final = 5.5
"""In heights of letters."""
_ROW_SHIFT: Final = 0.37
"""Of the words' length: each row begins elsewhere, so that no part of the picture is without a name."""
_OPACITY: Final = 132
"""Of 255: light letters with a dark edge, so that they are seen on any skin and any wall."""


def marked(picture: Image.Image, text: str) -> Image.Image:
    """A copy of an RGB picture with ``text`` in slanting rows all over it.

    Letters that the font does not have are left out or written plainly: ``ë`` → ``e``.
    """
    low, high = _LETTER_PX
    letter = min(max(round(picture.width * _LETTER_OF_WIDTH), low), high)
    words = _words(text, letter)
    turned = words.rotate(math.degrees(_ANGLE), Image.Resampling.BILINEAR, expand=True)
    ink, mask = turned.getchannel("L").convert("RGB"), turned.getchannel("A")
    shown = picture.copy()
    for left, top in _places(picture.size, turned.size, words.width, letter * _ROWS_APART):
        shown.paste(ink, (left, top), mask)
    return shown


def _words(text: str, letter: int) -> Image.Image:
    """The words, level, in light letters with a dark edge."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() or "-"
    font = ImageFont.load_default(letter)
    words = Image.new("LA", (int(font.getlength(plain)) + 2 * letter, 2 * letter), (0, 0))
    pen = ImageDraw.Draw(words)
    pen.text((0, 0), plain, font=font, fill=(255, _OPACITY), stroke_width=1, stroke_fill=(0, _OPACITY))
    return words


def _places(picture: tuple[int, int], stamp: tuple[int, int], along: float, apart: float) -> Iterator[tuple[int, int]]:
    """Where a stamp goes, upper left, so that the rows cover the picture.

    Args:
        picture: its size.
        stamp: size of what is stamped.
        along: from one to the next in a row.
        apart: from row to row.
    """
    (width, height), (stamp_width, stamp_height) = picture, stamp
    cos, sin = math.cos(_ANGLE), math.sin(_ANGLE)
    reach = (width + height + stamp_width + stamp_height) / 2
    rows, steps = int(reach / apart) + 1, int(reach / along) + 2
    for row in range(-rows, rows + 1):
        for step in range(-steps, steps + 1):
            far = (step + row * _ROW_SHIFT % 1) * along
            left = round(width / 2 + far * cos + row * apart * sin - stamp_width / 2)
            top = round(height / 2 - far * sin + row * apart * cos - stamp_height / 2)
            if -stamp_width < left < width and -stamp_height < top < height:
                yield left, top
