"""Screens as values: words, icons and shapes, never pixels. :mod:`node.hw` draws them.

The look is ``128 × 64``: row 1 large (≤ 8 characters, or two 24 px lines), rows 2 and 3 small (≤ 21 each).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from wire.kinds import Priority

HEADLINE_CHARS_MAX: Final = 8
HEADLINE_WORD_CHARS_MAX: Final = 10
"""For each of two 24 px headline words, which also take row 2: line 1 is then empty."""
HEADLINE_SMALL_CHARS_MAX: Final = 14
"""For each of two headline words above a row 2: they are 16 px high then."""
LINE_CHARS_MAX: Final = 21
MARKS: Final = frozenset("✓✗●▲►")
"""Which lines may hold besides letters."""


class Face(StrEnum):
    """Which screen it is, by name."""

    BOOT = "boot"
    CLAIM = "claim"
    READY = "ready"
    FAULT = "fault"
    DUPLICATE = "duplicate"
    """Another unit has this one's identity."""
    SENDING = "sending"
    STORED = "stored"
    NOT_STORED = "not-stored"
    RECEIVED = "received"
    ANSWERED = "answered"
    ON_THE_WAY = "on-the-way"
    UNDELIVERED = "undelivered"
    NEARBY = "nearby"
    """Central does not have it, but a neighbour has answered."""
    CANCELLED = "cancelled"
    CLOSED = "closed"
    NEIGHBOUR = "neighbour"
    SILENT = "silent"
    TEST_DUE = "test-due"
    STOPPING = "stopping"
    HINT = "hint"
    """A hint about how to press, for three seconds; nothing was sent."""
    GALLERY = "gallery"
    """Somebody looks at the exclusion gallery here. Any alert takes its place."""


class Emphasis(StrEnum):
    """How strikingly the panel is drawn."""

    PLAIN = "plain"
    INVERTED = "inverted"
    """The whole panel inverted: a neighbour's alert for its first 60 s, NOT DELIVERED."""
    FRAMED = "framed"
    """A frame round the panel: the same alert after that."""


class Dots(StrEnum):
    """Discreet 2 px marks bottom right during a silent attack (N4); they never blink."""

    NONE = "none"
    SAVED = "saved"
    RECEIVED = "received"
    ANSWERED = "answered"
    UNDELIVERED = "undelivered"


class PictureMode(StrEnum):
    """Of a picture's pixels, by rows from the top: eight a byte, a grey a byte, or three bytes each."""

    MONO = "1"
    GREY = "L"
    COLOUR = "RGB"


class Place(Struct, frozen=True):
    """Where a picture may stand on a panel, and in which pixels."""

    width_px: int
    height_px: int
    mode: PictureMode

    @property
    def bytes_count(self) -> int:
        """Of all its pixels."""
        if self.mode is PictureMode.MONO:
            return -(-self.width_px // 8) * self.height_px
        return self.width_px * self.height_px * (3 if self.mode is PictureMode.COLOUR else 1)


class Picture(Struct, frozen=True):
    """A picture for the panel, and four lines of at most ten characters that belong to it."""

    place: Place
    pixels: bytes
    lines: tuple[str, ...] = ()


class Screen(Struct, frozen=True):
    """One screen.

    Attributes:
        face: which one.
        headline: row 1, at most 8 characters, or two words for two 24 px lines (``("NOT", "DELIVERED")``), or with a
            row 2 for two of 16 px (``("BREACH", "HART-0042")``).
        lines: rows 2 and 3, at most 21 characters each; may hold :data:`MARKS`.
        emphasis: plain, inverted or framed.
        priority: colours row 1 on colour panels.
        dots: silent-mode marks.
        is_dim: the idle face, drawn at low contrast.
        concerns: text id of the alert it shows, if any; returned in ``ScreenShown``.
        picture: stands in place of headline and lines.
    """

    face: Face
    headline: tuple[str, ...]
    lines: tuple[str, str] = ("", "")
    emphasis: Emphasis = Emphasis.PLAIN
    priority: Priority | None = None
    dots: Dots = Dots.NONE
    is_dim: bool = False
    concerns: str = ""
    picture: Picture | None = None
