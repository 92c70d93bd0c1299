"""The look: nothing is clipped, the idle face spares the panel, silent marks are where staff look for them (N3, N4)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image, ImageDraw

from node.core.panel.words import named, person, where
from node.core.screens import HEADLINE_CHARS_MAX, MARKS, Dots, Emphasis, Face, Screen
from node.core.spelling import PANEL_LETTERS
from node.hw.drawing import (
    FACE_HEIGHT_PX,
    FACE_WIDTH_PX,
    LINE_SIZE_PX,
    MARGIN_PX,
    PRIORITY_COLOURS,
    Shift,
    compose_face,
    draw_screen,
    lit_share,
    wander,
)
from node.hw.profiles import PROFILES
from node.hw.typeface import SIZES_PX, TERMINUS_DIR, Typeface
from tools.specimens import SPECIMENS
from wire.kinds import Priority

PANEL = PROFILES["ssd1309-128x64"].panel
COLOUR = PROFILES["ssd1351-128x128"].panel
WIDE = PROFILES["ssd1322-256x64"].panel
WIDEST = "MW@▲✗●►✓"
TERMINUS = Typeface()
NAMES = st.one_of(st.text(max_size=64), st.text(alphabet=sorted(PANEL_LETTERS), max_size=64))

every_specimen = pytest.mark.parametrize("screen", SPECIMENS.values(), ids=SPECIMENS.keys())
every_typeface = pytest.mark.parametrize("typeface", [Typeface(), Typeface(Path("/nowhere"))], ids=["terminus", "own"])


def ink_px(image: Image.Image) -> int:
    """How many pixels are lit."""
    return round(lit_share(image) * image.width * image.height)


def ink_of(text: str, size_px: int, typeface: Typeface, tracking_px: int = 0) -> int:
    """How many pixels ``text`` lights where there is room for all of it."""
    roomy = Image.new("1", (512, 128))
    typeface.draw(ImageDraw.Draw(roomy), 128, 32, text, size_px, tracking_px=tracking_px)
    return ink_px(roomy)


def plain(*headline: str, lines: tuple[str, str] = ("", "")) -> Screen:
    return Screen(Face.READY, headline, lines)


@every_specimen
def test_face_loses_no_pixel_of_its_words(screen: Screen, terminus: Typeface) -> None:
    """What is on the panel is as much ink as the same words make where there is room without end."""
    is_framed = screen.emphasis is Emphasis.FRAMED
    expected = sum(ink_of(line, LINE_SIZE_PX, terminus) for line in screen.lines)
    is_large = len(screen.headline) == 1 and len(screen.headline[0]) <= HEADLINE_CHARS_MAX
    size_px = 32 if is_large else 24
    for word in screen.headline:
        expected += ink_of(word, size_px, terminus, -1 if is_framed and len(word) == 8 else 0)

    assert expected == ink_px(compose_face(screen, terminus))


@every_typeface
@given(
    headline=st.lists(st.text(st.sampled_from(WIDEST + "Rg jÅ中\u200b🙂"), max_size=12), min_size=1, max_size=4),
    lines=st.tuples(*[st.text(st.sampled_from(WIDEST + "Rg jÅ中\u200b🙂"), max_size=40)] * 2),
    emphasis=st.sampled_from(Emphasis),
    minute=st.integers(0, 500),
)
def test_face_of_any_words_stays_apart_and_inside(
    typeface: Typeface, headline: list[str], lines: tuple[str, str], emphasis: Emphasis, minute: int
) -> None:
    """Rows never run into one another: alone and together they light the same pixels."""
    whole = Screen(Face.READY, tuple(headline), lines, emphasis=emphasis)
    alone = [
        replace(whole, lines=("", "")) if lines[0] == "" else replace(whole, lines=("x", "")),
        replace(whole, headline=("",), lines=(lines[0], "")),
        replace(whole, headline=("",), lines=("", lines[1])),
    ]
    x_ink = 0 if lines[0] == "" else ink_px(compose_face(plain("", lines=("x", "")), typeface))

    assert ink_px(compose_face(whole, typeface)) == sum(ink_px(compose_face(s, typeface)) for s in alone) - x_ink
    draw_screen(whole, PANEL, typeface, minute=minute)
    draw_screen(whole, COLOUR, typeface, minute=minute)
    draw_screen(whole, WIDE, typeface, minute=minute, aside=lines)


@every_typeface
def test_line_of_21_of_the_widest_letters_fits_whole(typeface: Typeface) -> None:
    text = ("MW@" * 7) if typeface.fault else (WIDEST * 3)[:21]
    face = compose_face(plain("", lines=(text, "")), typeface)

    assert typeface.fitted(text, LINE_SIZE_PX, FACE_WIDTH_PX - 2 * MARGIN_PX)[:1] == text[:1]
    if not typeface.fault:
        assert ink_of(text, LINE_SIZE_PX, typeface) == ink_px(face)


def test_line_of_22_letters_is_cut_with_a_mark(terminus: Typeface) -> None:
    assert "abcdefghijklmnopqrst…" == terminus.fitted("abcdefghijklmnopqrstuv", 12, 126)
    assert "abcdefghijklmnopqrstu" == terminus.fitted("abcdefghijklmnopqrstu", 12, 126)


def test_headline_of_8_letters_is_32_px_and_a_longer_one_smaller(terminus: Typeface) -> None:
    assert ink_of("MMMMMMMM", 32, terminus) == ink_px(compose_face(plain("MMMMMMMM"), terminus))
    assert ink_of("MMMMMMMMM", 24, terminus) == ink_px(compose_face(plain("MMMMMMMMM"), terminus))
    assert ink_of("M" * 16, 16, terminus) == ink_px(compose_face(plain("M" * 16), terminus))


def test_headline_is_centred(terminus: Typeface) -> None:
    for word in ("READY", "ANSWERED", "COMING"):
        left, _, right, _ = compose_face(plain(word), terminus).getbbox() or (0, 0, 0, 0)

        assert abs(left - (FACE_WIDTH_PX - right)) <= 2


def test_two_word_headline_is_two_lines_of_24_px_above_row_3(terminus: Typeface) -> None:
    face = compose_face(plain("NOT", "DELIVERED"), terminus)

    assert ink_of("NOT", 24, terminus) == ink_px(face.crop((0, 0, 128, 24)))
    assert ink_of("DELIVERED", 24, terminus) == ink_px(face.crop((0, 24, 128, 48)))


def test_two_word_headline_makes_room_for_row_2(terminus: Typeface) -> None:
    face = compose_face(plain("NOT", "SAVED", lines=("Disk full", "Use radio")), terminus)

    assert ink_of("NOT", 16, terminus) + ink_of("SAVED", 16, terminus) == ink_px(face.crop((0, 0, 128, 36)))


def test_inverted_face_is_the_exact_negative(terminus: Typeface) -> None:
    screen = SPECIMENS["undelivered"]
    negative = draw_screen(screen, PANEL, terminus)
    positive = draw_screen(replace(screen, emphasis=Emphasis.PLAIN), PANEL, terminus)

    assert ink_px(positive) > 500
    assert 128 * 64 - ink_px(positive) == ink_px(negative)


def test_framed_face_has_all_four_sides_and_all_its_words(terminus: Typeface) -> None:
    screen = SPECIMENS["neighbour-later"]
    framed = draw_screen(screen, PANEL, terminus)
    sides = [(0, 0, 128, 2), (0, 62, 128, 64), (0, 0, 2, 64), (126, 0, 128, 64)]

    assert [1.0] * 4 == [lit_share(framed.crop(side)) for side in sides]
    assert ink_px(compose_face(screen, terminus)) == ink_px(framed.crop((2, 2, 126, 62)))


@pytest.mark.parametrize(
    ("dots", "left_edges_px", "width_px"),
    [
        (Dots.SAVED, [126], 2),
        (Dots.RECEIVED, [122, 126], 2),
        (Dots.ANSWERED, [118, 122, 126], 2),
        (Dots.UNDELIVERED, [120], 8),
    ],
)
def test_silent_marks_are_two_pixels_high_bottom_right(
    dots: Dots, left_edges_px: list[int], width_px: int, terminus: Typeface
) -> None:
    """N4: 1 saved, 2 received, 3 answered, a dash for undelivered."""
    bottom = draw_screen(Screen(Face.SILENT, ("READY",), dots=dots), PANEL, terminus).crop((0, 62, 128, 64))
    expected = Image.new("1", (128, 2))
    for left_px in left_edges_px:
        expected.paste(1, (left_px, 0, left_px + width_px, 2))

    assert expected.convert("1").getbbox() == bottom.getbbox()
    assert len(left_edges_px) * width_px * 2 == ink_px(bottom)


def test_silent_face_is_the_idle_face_but_for_its_marks(terminus: Typeface) -> None:
    """N4: nothing an offender could see change, at any minute of the wandering."""
    for minute in range(40):
        idle = draw_screen(SPECIMENS["ready"], PANEL, terminus, minute=minute)
        silent = draw_screen(SPECIMENS["silent-answered"], PANEL, terminus, minute=minute)
        marks = (117, 61, 128, 64)
        for image in (idle, silent):
            image.paste(0, marks)

        assert idle.tobytes() == silent.tobytes()


def test_idle_face_lights_at_most_a_fifth(terminus: Typeface) -> None:
    for screen in SPECIMENS.values():
        if screen.is_dim:
            assert lit_share(draw_screen(screen, PANEL, terminus)) <= 0.20


def test_idle_face_moves_one_pixel_a_minute_and_comes_back(terminus: Typeface) -> None:
    face = compose_face(SPECIMENS["ready"], terminus)
    places = [wander(face, minute) for minute in range(200)]
    steps = [abs(a.x_px - b.x_px) + abs(a.y_px - b.y_px) for a, b in pairwise(places)]

    assert Shift(0, 0) == places[0]
    assert {1} == set(steps)
    assert len(set(places)) >= 9
    assert Shift(0, 0) in places[1:]


@pytest.mark.one_python
@pytest.mark.parametrize("screen", [one for one in SPECIMENS.values() if one.picture is None], ids=lambda one: one.face)
def test_wandering_face_loses_no_pixel(screen: Screen, terminus: Typeface) -> None:
    face = compose_face(replace(screen, dots=Dots.NONE), terminus)
    still = replace(screen, dots=Dots.NONE, emphasis=Emphasis.PLAIN)
    expected = ink_px(compose_face(still, terminus))
    for minute in range(60):
        assert expected == ink_px(draw_screen(still, PANEL, terminus, minute=minute))
    assert face.size == (FACE_WIDTH_PX, FACE_HEIGHT_PX)


def test_wandering_of_a_blank_face_is_harmless(terminus: Typeface) -> None:
    assert Shift() == wander(compose_face(plain(""), terminus), 7)


def test_colour_panel_has_row_1_in_the_priority_colour_and_rows_2_and_3_white(terminus: Typeface) -> None:
    image = draw_screen(SPECIMENS["test-due"], COLOUR, terminus)
    headline = image.crop((0, 32, 128, 67))
    lines = image.crop((0, 68, 128, 96))

    assert (128, 128) == image.size
    assert {(0, 0, 0), PRIORITY_COLOURS[Priority.TEST]} == {c for _, c in headline.getcolors() or []}
    assert {(0, 0, 0), (255, 255, 255)} == {c for _, c in lines.getcolors() or []}


def test_colour_panel_of_an_attack_is_all_red_with_white_words(terminus: Typeface) -> None:
    colours = draw_screen(SPECIMENS["neighbour"], COLOUR, terminus).getcolors() or []

    assert {PRIORITY_COLOURS[Priority.P1], (255, 255, 255)} == {colour for _, colour in colours}


def test_wide_panel_has_the_same_left_half_and_the_aside_on_the_right(terminus: Typeface) -> None:
    screen = SPECIMENS["ready"]
    wide = draw_screen(screen, WIDE, terminus, aside=("CCTV", "PCSO"))

    assert draw_screen(screen, PANEL, terminus).tobytes() == wide.crop((0, 0, 128, 64)).tobytes()
    assert ink_px(wide.crop((133, 0, 256, 64))) == ink_of("CCTV", 12, terminus) + ink_of("PCSO", 12, terminus)
    assert 0 == ink_px(draw_screen(screen, WIDE, terminus).crop((128, 0, 256, 64)))


def test_typeface_has_every_symbol_of_the_look(terminus: Typeface) -> None:
    for symbol in "✓✗●▲►…·–":
        assert symbol == terminus.showable(symbol)
        for size_px in (12, 16, 24, 32):
            assert ink_of(symbol, size_px, terminus) > 0


@pytest.mark.parametrize("size_px", SIZES_PX)
def test_typeface_has_every_letter_that_the_core_takes_it_to_have(size_px: int, terminus: Typeface) -> None:
    """The core spells names by this list, for it must know how long they are."""
    width_px = terminus.width_px("n", size_px)
    for letter in PANEL_LETTERS | MARKS:
        assert letter == terminus.showable(letter)
        assert width_px == terminus.width_px(letter, size_px)


@given(premises=NAMES, place=NAMES, person_name=NAMES, before=st.sampled_from(["", "LATE "]))
def test_names_of_any_script_are_drawn_whole(premises: str, place: str, person_name: str, before: str) -> None:
    """No letter is replaced, none is cut off: what the core composed is what is seen."""
    lines = where(named(premises) or "Neighbour", named(place), before), person("PCSO", person_name)
    for emphasis in Emphasis:
        screen = Screen(Face.NEIGHBOUR, (), lines, emphasis)
        assert lines == tuple(map(TERMINUS.showable, lines))
        assert sum(ink_of(line, LINE_SIZE_PX, TERMINUS) for line in lines) == ink_px(compose_face(screen, TERMINUS))


def test_typeface_spells_what_it_lacks_and_marks_a_run_of_what_it_cannot_spell_once(terminus: Typeface) -> None:
    own = Typeface(Path("/nowhere"))

    assert "Café ? s" == terminus.showable("Café 中\U0001f642 s")
    assert "Ty Wyn, Lodz Strasse, Aesop, Kafe ?" == own.showable("Tŷ Ŵyn, Łódź Straße, Æsop, Кафе 中中")
    assert "Why?? Who?" == terminus.showable("Why?? Who?")
    assert "Net+ x * ^ >" == own.showable("Net✓ ✗ ● ▲ ►")
    for typeface in (terminus, own):
        for character in "中\U0001f642\u200b\ue000\ud800":
            assert ink_of(typeface.showable(character), 12, typeface) > 0


def test_missing_font_is_told_with_the_package_that_brings_it(tmp_path: Path) -> None:
    fault = Typeface(tmp_path).fault

    assert "install xfonts-terminus" in fault
    assert "ter-u32b_unicode.pcf.gz" in fault


def test_damaged_font_is_told_and_words_still_show(tmp_path: Path) -> None:
    for size_px in (12, 16, 24, 32):
        name = f"ter-u{size_px}b_unicode.pcf.gz"
        (tmp_path / name).write_bytes((TERMINUS_DIR / name).read_bytes()[:200])
    damaged = Typeface(tmp_path)

    assert "xfonts-terminus" in damaged.fault
    assert ink_px(compose_face(SPECIMENS["undelivered"], damaged)) > 300
