"""Who looks, in letters that a watermark can write. Apart from :mod:`runtime.watermark`: pages never load Pillow."""

from __future__ import annotations

import unicodedata
from typing import Final

_NAME_CHARS: Final = 60
_NAME_BESIDE_NUMBER_CHARS: Final = 40


def signed(name: str, number: str) -> str:
    """The name; if the font does not have all its letters, also the number by which the person is known.

    Args:
        name: of who looks.
        number: such as ``staff 123456789``.
    """
    short = name[:_NAME_CHARS]
    return short if _is_drawn(short) else f"{name[:_NAME_BESIDE_NUMBER_CHARS]} {number}"


def _is_drawn(name: str) -> bool:
    """Whether :func:`runtime.watermark.marked` writes all its letters, be it without their accents."""
    letters = [one for one in unicodedata.normalize("NFKD", name) if one.isalpha()]
    return bool(letters) and all(one.isascii() for one in letters)
