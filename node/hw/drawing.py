"""A :class:`~node.core.screens.Screen` as pixels.

The face is composed at 128 × 64, black and white: headline at the top (32 px, or two lines of 24 px), lines of 12 px
at y 36 and y 50. Wider, taller and coloured panels show the same face: colour for row 1, the right half for
who is on duty. Nothing is ever clipped: text that cannot fit is set smaller, then cut with a ``…``.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from PIL import Image, ImageChops, ImageDraw

from node.core.screens import Dots, Emphasis, Picture, PictureMode, Place, Screen
from node.hw.profiles import Driver, Panel
from node.hw.typeface import LIT, Typeface
from wire.kinds import Priority

FACE_WIDTH_PX: Final = 128
FACE_HEIGHT_PX: Final = 64
LINE_SIZE_PX: Final = 12
LINE_TOPS_PX: Final = (36, 50)
MARGIN_PX: Final = 1
"""21 characters of 6 px leave two pixels: one each side."""
FRAMED_WIDTH_PX: Final = 120
_HEADLINE_SIZES_PX: Final = (32, 24, 16, 12)
_PAIR_TOPS_PX: Final = {24: (0, 24), 16: (0, 17), 12: (2, 18)}
"""Tops of a two-line headline, by its size."""

_FRAME_PX: Final = 2
_DOT_PX: Final = 2
_DOT_PITCH_PX: Final = 4
_DASH_PX: Final = 8
_DOT_COUNT: Final = {Dots.SAVED: 1, Dots.RECEIVED: 2, Dots.ANSWERED: 3}

WANDER_X_PX: Final = 4
WANDER_Y_PX: Final = 2
"""How far the idle face strays from its place, so that no pixel is always lit."""

TALL_PICTURE_PX: Final = 98
"""On a panel of 128 × 128, with two rows below it."""
_LINES_BESIDE: Final = 4
_BESIDE_GAP_PX: Final = 4
_PICTURE_LINE_PX: Final = 15
_CORNER_PX: Final = _DASH_PX + 2
"""As wide as the widest silent mark."""

BLACK: Final = (0, 0, 0)
WHITE: Final = (255, 255, 255)
PRIORITY_COLOURS: Final = {
    Priority.P1: (0xD9, 0x26, 0x3B),
    Priority.P2: (0xFF, 0xB2, 0x24),
    Priority.P3: (0x55, 0xC7, 0xDE),
    Priority.P4: (0xB7, 0x9C, 0xFF),
    Priority.TEST: (0xAE, 0xB8, 0xC2),
}
P1_TEXT: Final = (0xFF, 0x8F, 0x8A)
"""Red letters on black do not read across a shop: so a lighter red for text."""


class Shift(Struct, frozen=True):
    """Where the idle face stands this minute, in pixels from its place."""

    x_px: int = 0
    y_px: int = 0


AT_HOME: Final = Shift()


def draw_screen(
    screen: Screen, panel: Panel, typeface: Typeface, *, minute: int | None = None, aside: tuple[str, ...] = ()
) -> Image.Image:
    """The picture a panel takes.

    Args:
        screen: what to show.
        panel: its size and colour.
        typeface: the letters.
        minute: counts up once a minute and moves the face by one pixel each time; ``None`` keeps it in its place.
        aside: up to four lines for the right half of a panel 256 px wide.

    Returns:
        mode ``RGB`` for colour panels and for greys, else mode ``1``; the panel's size.
    """
    if screen.picture is not None:
        return _pictured(screen.picture, screen.dots, panel, typeface)
    face = compose_face(screen, typeface)
    if minute is not None:
        face = _moved(face, wander(face, minute))
    _draw_dots(face, screen.dots)
    if screen.emphasis is Emphasis.FRAMED:
        _draw_frame(face)
    top_px = (panel.height_px - FACE_HEIGHT_PX) // 2
    whole = Image.new("1", (panel.width_px, panel.height_px))
    whole.paste(face, (0, top_px))
    if panel.width_px >= 2 * FACE_WIDTH_PX and aside:
        _draw_aside(whole, typeface, aside)
    if panel.is_colour:
        return _coloured(whole, screen, headline_bottom_px=top_px + LINE_TOPS_PX[0] - 1)
    return ImageChops.invert(whole) if screen.emphasis is Emphasis.INVERTED else whole


def place_of_picture(panel: Panel) -> Place:
    """Where :func:`draw_screen` sets a picture on this panel: a square beside the words, or above them."""
    if panel.is_colour:
        return Place(TALL_PICTURE_PX, TALL_PICTURE_PX, PictureMode.COLOUR)
    mode = PictureMode.GREY if panel.driver is Driver.SSD1322 else PictureMode.MONO
    return Place(FACE_HEIGHT_PX, FACE_HEIGHT_PX, mode)


def compose_face(screen: Screen, typeface: Typeface) -> Image.Image:
    """Headline and lines alone, white on black, 128 × 64."""
    face = Image.new("1", (FACE_WIDTH_PX, FACE_HEIGHT_PX))
    canvas = ImageDraw.Draw(face)
    # A frame wants room on both sides, where the text leaves it: letters move closer, lines move in.
    is_framed = screen.emphasis is Emphasis.FRAMED
    for text, size_px, top_px in _headline_places(screen, typeface):
        width_px = typeface.width_px(text, size_px)
        tracking_px = -1 if is_framed and width_px > FRAMED_WIDTH_PX else 0
        width_px += tracking_px * (len(text) - 1)
        left_px = (FACE_WIDTH_PX - width_px) // 2
        _draw_within(canvas, typeface, _Line(text, size_px, left_px, top_px, tracking_px))
    for text, top_px in zip(screen.lines, LINE_TOPS_PX, strict=True):
        fitted = typeface.fitted(text, LINE_SIZE_PX, FACE_WIDTH_PX - 2 * MARGIN_PX)
        is_narrow = typeface.width_px(fitted, LINE_SIZE_PX) <= FRAMED_WIDTH_PX
        left_px = (FACE_WIDTH_PX - FRAMED_WIDTH_PX) // 2 if is_framed and is_narrow else MARGIN_PX
        _draw_within(canvas, typeface, _Line(fitted, LINE_SIZE_PX, left_px, top_px - is_framed))
    return face


def lit_share(image: Image.Image) -> float:
    """Share of pixels that shine, 0 … 1."""
    shining = sum(image.convert("L").point(lambda level: 255 if level else 0).histogram()[1:])
    return shining / (image.width * image.height)


def wander(face: Image.Image, minute: int) -> Shift:
    """Where a face stands in its ``minute``-th minute.

    It walks to and fro over every place within ±4 × ±2 px at which no ink leaves the panel, one pixel at a time.
    """
    ink = face.getbbox()
    if ink is None:
        return AT_HOME
    left, top, right, bottom = ink
    columns = range(-min(left, WANDER_X_PX), min(FACE_WIDTH_PX - right, WANDER_X_PX) + 1)
    rows = range(-min(top, WANDER_Y_PX), min(FACE_HEIGHT_PX - bottom, WANDER_Y_PX) + 1)
    path = [Shift(x_px, y_px) for n, y_px in enumerate(rows) for x_px in (columns if n % 2 == 0 else columns[::-1])]
    # There and back again, so that the last step home is one pixel too; minute 0 is the face's own place.
    round_trip = path + path[-2:0:-1]
    return round_trip[(round_trip.index(AT_HOME) + minute) % len(round_trip)]


class _Line(Struct, frozen=True):
    text: str
    size_px: int
    left_px: int
    top_px: int
    tracking_px: int = 0


def _headline_places(screen: Screen, typeface: Typeface) -> list[tuple[str, int, int]]:
    """Text, size and top of each headline line: the largest size at which all of it fits."""
    words = [word for word in screen.headline if word]
    if len(words) > 1:
        pair = (words[0], " ".join(words[1:]))
        # Two lines of 24 px reach down to row 2: with a row 2 to show, the headline is smaller.
        sizes_px = (16, 12) if screen.lines[0] else (24, 16, 12)
        size_px = _largest(typeface, pair, sizes_px)
        tops_px = _PAIR_TOPS_PX[size_px]
        return [
            (typeface.fitted(text, size_px, FACE_WIDTH_PX), size_px, top_px)
            for text, top_px in zip(pair, tops_px, strict=True)
        ]
    text = "".join(words)
    size_px = _largest(typeface, (text,), _HEADLINE_SIZES_PX)
    return [(typeface.fitted(text, size_px, FACE_WIDTH_PX), size_px, (_HEADLINE_SIZES_PX[0] - size_px) // 2)]


def _largest(typeface: Typeface, texts: tuple[str, ...], sizes_px: tuple[int, ...]) -> int:
    for size_px in sizes_px:
        if all(typeface.width_px(typeface.showable(text), size_px) <= FACE_WIDTH_PX for text in texts):
            return size_px
    return sizes_px[-1]


def _draw_within(canvas: ImageDraw.ImageDraw, typeface: Typeface, line: _Line) -> None:
    """Draw one line so that all its ink is on the panel, whatever the font's own idea of its box."""
    roomy = Image.new("1", (FACE_WIDTH_PX * 2, FACE_HEIGHT_PX * 2))
    typeface.draw(
        ImageDraw.Draw(roomy),
        FACE_WIDTH_PX // 2,
        FACE_HEIGHT_PX // 2,
        line.text,
        line.size_px,
        tracking_px=line.tracking_px,
    )
    ink = roomy.getbbox()
    if ink is None:
        return
    left_px = line.left_px + ink[0] - FACE_WIDTH_PX // 2
    top_px = line.top_px + ink[1] - FACE_HEIGHT_PX // 2
    left_px = max(0, min(left_px, FACE_WIDTH_PX - (ink[2] - ink[0])))
    top_px = max(0, min(top_px, FACE_HEIGHT_PX - (ink[3] - ink[1])))
    canvas.bitmap((left_px, top_px), roomy.crop(ink), fill=LIT)


def _moved(face: Image.Image, shift: Shift) -> Image.Image:
    moved = Image.new("1", face.size)
    moved.paste(face, (shift.x_px, shift.y_px))
    return moved


def _draw_dots(face: Image.Image, dots: Dots) -> None:
    """Two-pixel marks bottom right (N4). They do not wander: staff look for them in one place."""
    if dots is Dots.NONE:
        return
    canvas = ImageDraw.Draw(face)
    right_px, bottom_px = FACE_WIDTH_PX - 1, FACE_HEIGHT_PX - 1
    marks = (
        [(right_px - _DASH_PX + 1, right_px)]
        if dots is Dots.UNDELIVERED
        else [
            (right_px - n * _DOT_PITCH_PX - _DOT_PX + 1, right_px - n * _DOT_PITCH_PX) for n in range(_DOT_COUNT[dots])
        ]
    )
    # A pixel of dark above and beside, so that a mark never melts into a letter.
    canvas.rectangle((marks[-1][0] - 1, bottom_px - _DOT_PX, right_px, bottom_px), fill=0)
    for left_px, end_px in marks:
        canvas.rectangle((left_px, bottom_px - _DOT_PX + 1, end_px, bottom_px), fill=LIT)


def _draw_frame(face: Image.Image) -> None:
    """A two-pixel frame, left open wherever a letter comes within a pixel of it."""
    ink = face.copy()
    frame = Image.new("1", face.size)
    ImageDraw.Draw(frame).rectangle((0, 0, FACE_WIDTH_PX - 1, FACE_HEIGHT_PX - 1), outline=LIT, width=_FRAME_PX)
    # MaxFilter does not take mode 1: grow the ink by a pixel each way by laying it over itself.
    grown = ink.copy()
    for x_px in (-1, 0, 1):
        for y_px in (-1, 0, 1):
            grown = ImageChops.logical_or(grown, _moved(ink, Shift(x_px, y_px)))
    face.paste(ImageChops.logical_or(ink, ImageChops.logical_and(frame, ImageChops.invert(grown))))


def _draw_aside(whole: Image.Image, typeface: Typeface, aside: tuple[str, ...]) -> None:
    canvas = ImageDraw.Draw(whole)
    canvas.line((FACE_WIDTH_PX + 2, 4, FACE_WIDTH_PX + 2, whole.height - 5), fill=LIT)
    left_px = FACE_WIDTH_PX + 7
    for n, text in enumerate(aside[:4]):
        fitted = typeface.fitted(text, LINE_SIZE_PX, whole.width - left_px - MARGIN_PX)
        typeface.draw(canvas, left_px, 2 + n * 15, fitted, LINE_SIZE_PX)


def _pictured(picture: Picture, dots: Dots, panel: Panel, typeface: Typeface) -> Image.Image:
    """The picture on the left with its lines beside it; on a tall panel above them."""
    place = picture.place
    words = Image.new("1", (panel.width_px, panel.height_px))
    canvas = ImageDraw.Draw(words)
    is_tall = panel.height_px > FACE_HEIGHT_PX
    lines = _rows_below(picture.lines) if is_tall else picture.lines
    left_px, top_px = (MARGIN_PX, place.height_px + 1) if is_tall else (place.width_px + _BESIDE_GAP_PX, 0)
    for n, text in enumerate(lines[:_LINES_BESIDE]):
        fitted = typeface.fitted(text, LINE_SIZE_PX, panel.width_px - left_px)
        typeface.draw(canvas, left_px, top_px + n * _PICTURE_LINE_PX, fitted, LINE_SIZE_PX)
    photograph = Image.frombytes(place.mode.value, (place.width_px, place.height_px), picture.pixels)
    whole = words if place.mode is PictureMode.MONO else words.convert("RGB")
    whole.paste(photograph, ((panel.width_px - place.width_px) // 2 if is_tall else 0, 0))
    if dots is not Dots.NONE:
        # Bottom right, where staff look for them.
        corner = Image.new("1", (FACE_WIDTH_PX, FACE_HEIGHT_PX))
        _draw_dots(corner, dots)
        mark = (FACE_WIDTH_PX - _CORNER_PX, FACE_HEIGHT_PX - _DOT_PX - 1, FACE_WIDTH_PX, FACE_HEIGHT_PX)
        left_px = min(panel.width_px, FACE_WIDTH_PX) - _CORNER_PX
        whole.paste(corner.crop(mark), (left_px, panel.height_px - _DOT_PX - 1))
    return whole


def _rows_below(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Two rows of what stands in four beside a picture."""
    return " ".join(lines[0::3]), " ".join(lines[1:3])


def _coloured(whole: Image.Image, screen: Screen, headline_bottom_px: int) -> Image.Image:
    """Row 1 in the priority's colour; inverted, the whole panel is of that colour."""
    colour = WHITE if screen.priority is None else PRIORITY_COLOURS[screen.priority]
    if screen.emphasis is Emphasis.INVERTED:
        ink = WHITE if screen.priority is Priority.P1 else BLACK
        picture = Image.new("RGB", whole.size, colour)
        picture.paste(ink, mask=whole)
        return picture
    if screen.priority is Priority.P1:
        colour = P1_TEXT
    picture = Image.new("RGB", whole.size, BLACK)
    picture.paste(WHITE, mask=whole)
    top = (0, 0, whole.width, headline_bottom_px)
    picture.paste(colour, top, mask=whole.crop(top))
    if screen.emphasis is Emphasis.FRAMED:
        inside = Image.new("1", whole.size, LIT)
        ImageDraw.Draw(inside).rectangle((_FRAME_PX, 0, whole.width - 1 - _FRAME_PX, headline_bottom_px + 26), fill=0)
        picture.paste(colour, mask=ImageChops.logical_and(whole, inside))
    return picture
