"""What the pages and their caged child say to one another about photographs. Pure: neither Pillow nor Django.

A job is one line of JSON, then the picture's bytes; so is the answer, with the bytes of each picture that was made. The
child may have been taken over by the photograph it read: nothing it says is shown to anybody, but for pictures.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import Struct

FILE_BYTES_MAX: Final = 8_000_000
"""Of a photograph as it is handed in."""
BASELINE_PIXELS_MAX: Final = 70_000_000
"""An ordinary JPEG is read at a half, a quarter or an eighth of its size, row by row."""
PROGRESSIVE_PIXELS_MAX: Final = 4_200_000
"""Read whole, with all its coefficients: six bytes a pixel."""
PNG_PIXELS_MAX: Final = 8_400_000
"""A screenshot of a 4K screen. Read whole."""
READ_PIXELS_MAX: Final = 8_400_000
WHOLE_PIXELS_MAX: Final = 4_000_000
WHOLE_SIDE_MAX: Final = 2_560
SIDE_MIN: Final = 64
"""Of a whole picture."""
FACE_WIDTH_MIN: Final = 48
PORTRAIT: Final = (480, 640)
SMALL: Final = (96, 128)
MEMORY_BYTES_MAX: Final = 120 * 1024 * 1024
"""Of the child's address space. Python with Pillow takes 31 MB of it, a transparent 4K screenshot 85 MB more."""
CPU_S_MAX: Final = 1.5
"""Three times what an honest photograph takes."""
TEXT_CHARS_MAX: Final = 200
"""Of a watermark."""
ANSWER_BYTES_MAX: Final = 8_000_000
HEAD_BYTES_MAX: Final = 4_096

Size: TypeAlias = Literal["whole", "portrait", "small"]
"""``whole`` = upright, without metadata, at most 4 megapixels; the other two are the face, 3 : 4."""
RefusalCode: TypeAlias = Literal["unreadable", "damaged", "too-large", "progressive", "too-small"]


class Box(Struct, frozen=True):
    """A part of a whole picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int


class Job(Struct, frozen=True, omit_defaults=True):
    """An order to the child.

    Attributes:
        kind: ``take`` a photograph in; ``crop`` a whole picture; ``mark`` a picture for its reader.
        bytes_count: of the picture that follows.
        box: of ``crop``.
        text: of ``mark``.
    """

    kind: Literal["take", "crop", "mark"]
    bytes_count: int
    box: Box | None = None
    text: str = ""


class Part(Struct, frozen=True):
    """A JPEG of an answer."""

    width: int
    height: int
    bytes_count: int


class Answer(Struct, frozen=True, omit_defaults=True):
    """What the child has made, or why not.

    Attributes:
        refused: why nothing was made.
        parts: ``take`` → whole; ``crop`` → portrait, small; ``mark`` → the picture.
    """

    refused: RefusalCode | None = None
    parts: tuple[Part, ...] = ()


SENTENCES: Final[dict[RefusalCode, str]] = {
    "unreadable": "This is not a photograph that we can read. Save it as JPEG and try again.",
    "damaged": "This photograph is damaged or incomplete. Copy it from the camera or phone again.",
    "too-large": (
        "This photograph is too large. Save a smaller copy as JPEG (2000 × 1500 pixels is plenty) and try again."
    ),
    "progressive": (
        "This photograph is saved as a large progressive JPEG. Save a smaller copy (2000 × 1500 pixels is plenty) and"
        " try again."
    ),
    "too-small": "This picture is too small to know anybody by. Use the photograph itself, not its preview.",
}
EMPTY: Final = "The file is empty. Choose the photograph again."
TOO_SLOW: Final = "This photograph took too long to read. Save a smaller copy as JPEG and try again."
BUSY: Final = "The office is busy with other photographs. Try again in a minute."


def too_many_bytes(count: int) -> str:
    """Says so, with what is allowed."""
    return f"The file has {count / 1e6:.1f} MB; 8 MB is the most. Save a smaller copy as JPEG and try again."


def is_cut_from(box: Box, width: int, height: int) -> bool:
    """Whether a box lies in a picture and is large enough."""
    return (
        box.left >= 0
        and box.top >= 0
        and box.width >= FACE_WIDTH_MIN
        and box.height >= FACE_WIDTH_MIN
        and box.left + box.width <= width
        and box.top + box.height <= height
    )
