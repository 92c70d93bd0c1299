from __future__ import annotations

import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from wire.limits import SHORT_NAME_BYTES_MAX
from wire.text import display_text, short_name

ANY_TEXT = st.text(st.characters())
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANY_TEXT, st.integers(1, 80))
@example("\u202egnaR", 4)
@example("a" + "\u0301" * 200, 3)
@example("\ufeff\ud800\x00\u2028", 10)
def test_display_text_is_one_clean_line_that_fits(text: str, chars_max: int) -> None:
    shown = display_text(text, chars_max)

    assert len(shown) <= chars_max
    assert shown == " ".join(shown.split())
    assert shown == unicodedata.normalize("NFC", shown)
    assert set() == {unicodedata.category(c) for c in shown} & FORBIDDEN
    shown.encode()


@given(ANY_TEXT, st.integers(1, 80))
def test_display_text_cleaned_twice_is_the_same(text: str, chars_max: int) -> None:
    once = display_text(text, chars_max)

    assert once == display_text(once, chars_max)


@given(st.text(st.characters(codec="ascii")), st.integers(1, 80))
@example(" a  b ", 5)
@example("a\x7f\tb", 5)
def test_display_text_of_plain_text_is_that_of_any_text(text: str, chars_max: int) -> None:
    """What is plain takes a short way; a letter that is not, cut off again, sends it the long one."""
    looked_at = text[: 8 * chars_max]
    long_way = display_text(f"{looked_at} \u200b", chars_max)

    assert display_text(looked_at, chars_max) == long_way


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Corner Shop", "Corner Shop"),
        ("  Corner\r\n\tShop ", "Corner Shop"),
        ("\u202eoffiC\u202c", "offiC"),
        ("\ufeffCorner\u200b Shop", "Corner Shop"),
        ("Cafe\u0301", "Café"),
        ("\x1b[31mATTACK", "[31mATTACK"),
        ("\u3164\u2800", ""),
        ("Z\u0300\u0301\u0302\u0303\u0304", "Z\u0300\u0301\u0302"),
        ("The Old Red Lion and Anchor", "The Old Red Lion and…"),
        ("The Old Red Lion and Anc", "The Old Red Lion and…"),
        ("The Old Red Lion as Anchored", "The Old Red Lion as…"),
        ("Żółć", "Żółć"),
    ],
)
def test_display_text_shows_the_words_and_nothing_else(text: str, shown: str) -> None:
    assert shown == display_text(text, 21)


def test_display_text_of_a_megabyte_looks_at_its_beginning_only() -> None:
    assert "xxxx…" == display_text("x" * 1_000_000, 5)
    assert "" == display_text("\u202e" * 1_000_000 + "late", 5)


@given(ANY_TEXT)
def test_short_name_fits_an_acknowledgement_frame(text: str) -> None:
    name = short_name(text)

    assert len(name.encode()) <= SHORT_NAME_BYTES_MAX
    assert name == name.strip()


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("Jaswinder Patel", "J Patel"),
        ("Patel", "Patel"),
        ("", ""),
        ("Maria de la Cruz", "M Cruz"),
        ("Ann Featherstonehaugh", "A Feather"),
        ("Łucja Żółkiewska", "Ł Żół"),
        ("Featherstonehaugh", "Featherst"),
        ("\u202eJ\u202c Patel", "J Patel"),
    ],
)
def test_short_name_is_initial_and_surname(full: str, short: str) -> None:
    assert short == short_name(full)
