"""Burns a reader's words into a picture: legible, and the face still known. For the caged child: imports Pillow."""

from __future__ import annotations

import unicodedata
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_ANGLE_DEGREES: Final = 28
_LETTER_OF_WIDTH: Final = 1 / 26
"""Height of letters, of the picture's width."""
_LETTER_PX: Final = (9, 40)
_ROWS_APART: Final = 5.5
"""In heights of letters."""
_OPACITY: Final = 132
"""Of 255: light letters with a dark edge, so that they are seen on any skin and any wall."""


def marked(picture: Image.Image, text: str) -> Image.Image:
    """A copy of an RGB picture with ``text`` in slanting rows all over it.

    Letters that the font does not have are left out or written plainly: ``ë`` → ``e``.
    """
    width, height = picture.size
    low, high = _LETTER_PX
    letter = min(max(round(width * _LETTER_OF_WIDTH), low), high)
    font = ImageFont.load_default(letter)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    across = int((width**2 + height**2) ** 0.5) + 1
    row = f"{plain}     "
    row *= int(across / max(font.getlength(row), 1.0)) + 2
    layer = Image.new("LA", (across, across), (0, 0))
    draw = ImageDraw.Draw(layer)
    apart = int(letter * _ROWS_APART)
    for number, top in enumerate(range(apart // 2, across, apart)):
        # Each row begins elsewhere, so that no strip of the picture is without a name.
        draw.text(
            (-(number % 3) * letter * 7, top),
            row,
            font=font,
            fill=(255, _OPACITY),
            stroke_width=1,
            stroke_fill=(0, _OPACITY),
        )
    turned = layer.rotate(_ANGLE_DEGREES, Image.Resampling.BILINEAR)
    left, top = (across - width) // 2, (across - height) // 2
    cut = turned.crop((left, top, left + width, top + height))
    shown = picture.copy()
    shown.paste(cut.getchannel("L").convert("RGB"), mask=cut.getchannel("A"))
    return shown
