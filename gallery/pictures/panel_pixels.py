"""A photograph for the unit's own panel: a few dozen pixels, lifted so that a face is still one.

Plain Floyd–Steinberg leaves a 64-pixel face unrecognisable, and stretching the contrast alone fails on dark skin. Of
seven ways that were tried this was the best: contrast by the whole picture and by its own levels, half and half; edges
sharpened; then dithered. It remains a prompt to look at the page, never an identification.
"""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from gallery.pictures.terms import PanelPlace

_CUTOFF_PERCENT: Final = 2
_EQUALISED: Final = 0.45
_FACE_TOP: Final = 0.35
"""Where a portrait's middle is kept, from its top: a face is above the middle."""


def panel_pixels(photograph: Image.Image, place: PanelPlace) -> bytes:
    """The photograph (RGB) cut to the shape of its place, in the panel's own pixels."""
    size = (place.width_px, place.height_px)
    cut = ImageOps.fit(photograph, size, Image.Resampling.LANCZOS, centering=(0.5, _FACE_TOP))
    if place.mode == "RGB":
        return cut.tobytes()
    grey = cut.convert("L")
    face = _face_of(grey.size)
    even = ImageOps.autocontrast(grey, cutoff=_CUTOFF_PERCENT, mask=face)
    lifted = Image.blend(even, ImageOps.equalize(grey, mask=face), _EQUALISED)
    if place.mode == "L":
        return lifted.tobytes()
    sharp = lifted.filter(ImageFilter.UnsharpMask(radius=1.2, percent=160, threshold=0))
    return sharp.convert("1", dither=Image.Dither.FLOYDSTEINBERG).tobytes()


def _face_of(size: tuple[int, int]) -> Image.Image:
    """Where the face of a portrait is. Levels are taken from it: a bright wall behind would leave dark skin black."""
    width, height = size
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse((width * 0.22, height * 0.1, width * 0.78, height * 0.95), fill=255)
    return mask
