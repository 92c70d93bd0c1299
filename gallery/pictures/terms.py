"""What the page and its caged child say to one another about photographs. Pure: without Pillow.

A job is one line of JSON, then the photograph's bytes; so is the answer. The child may have been taken over by the
photograph that it read: of what it says only a picture is used, and a browser reads that.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from wire.gallery_lines import PHOTOGRAPH_BYTES_MAX

FILE_BYTES_MAX: Final = PHOTOGRAPH_BYTES_MAX
PIXELS_MAX: Final = 4_000_000
"""What the office sends has 480 × 640. An ordinary JPEG larger than that is read small at once."""
PROGRESSIVE_PIXELS_MAX: Final = 1_000_000
"""Read whole, with all its coefficients."""
SIDE_MIN: Final = 32
MEMORY_BYTES_MAX: Final = 96 * 1024 * 1024
"""Of the child's address space, a third of which is Python and Pillow."""
TEXT_CHARS_MAX: Final = 200
HEAD_BYTES_MAX: Final = 2_048
CARD_WIDTH: Final = 240
"""Of a picture in a list, in pixels."""
PORTRAIT_WIDTH: Final = 480


PanelMode = Literal["1", "L", "RGB"]
"""Of a panel's pixels, by rows from the top: eight a byte, a grey a byte, or three bytes each."""


class PanelPlace(Struct, frozen=True):
    """Where a picture is to stand on the unit's own panel."""

    width_px: int
    height_px: int
    mode: PanelMode

    @property
    def bytes_count(self) -> int:
        """Of all its pixels."""
        row_bytes = {"1": -(-self.width_px // 8), "L": self.width_px, "RGB": 3 * self.width_px}[self.mode]
        return row_bytes * self.height_px


class Job(Struct, frozen=True):
    """An order to the child.

    Attributes:
        bytes_count: of the photograph that follows.
        text: burnt in.
        width_max: the picture is made this wide, if it is wider.
        panel: in place of a JPEG its pixels for this place, without words: there is no room for any.
    """

    bytes_count: int
    text: str = ""
    width_max: int = PORTRAIT_WIDTH
    panel: PanelPlace | None = None


class Answer(Struct, frozen=True):
    """What came of it.

    Attributes:
        bytes_count: of the JPEG or the pixels that follow; 0 = nothing can be made of the photograph.
    """

    bytes_count: int
