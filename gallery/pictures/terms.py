"""What the page and its caged child say to one another about photographs. Pure: without Pillow.

A job is one line of JSON, then the photograph's bytes; so is the answer. The child may have been taken over by the
photograph that it read: of what it says only a picture is used, and a browser reads that.
"""

from __future__ import annotations

from typing import Final

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


class Job(Struct, frozen=True):
    """An order to the child.

    Attributes:
        bytes_count: of the photograph that follows.
        text: burnt in.
        width_max: the picture is made this wide, if it is wider.
    """

    bytes_count: int
    text: str
    width_max: int


class Answer(Struct, frozen=True):
    """What came of it.

    Attributes:
        bytes_count: of the JPEG that follows; 0 = nothing can be made of the photograph.
    """

    bytes_count: int
