"""Names in the letters there are: Welsh, Polish, German, Greek, emoji."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.core.spelling import PANEL_LETTERS, plain, spelled


@pytest.mark.parametrize(
    ("name", "on_panel", "in_ascii"),
    [
        ("Corner Shop", "Corner Shop", "Corner Shop"),
        ("Tŷ Ŵyn", "Tŷ Ŵyn", "Ty Wyn"),
        ("Cafe Zażółć Gęślą", "Cafe Zażółć Gęślą", "Cafe Zazolc Gesla"),
        ("Žižkov Bar", "Žižkov Bar", "Zizkov Bar"),
        ("Æther & Œuvre", "Æther & Œuvre", "Aether & Oeuvre"),
        ("Straße", "Straße", "Strasse"),
        ("Sørensen Þór Đỗ", "Sørensen Þór Đo", "Sorensen Thor Do"),
        ("Șțefan", "Șțefan", "Stefan"),
        ("Ẁẃ Nguyễn", "Ww Nguyen", "Ww Nguyen"),
        ("Кафе Щука", "Кафе Щука", "Kafe Shchuka"),
        ("Ταβέρνα", "Ταβέρνα", "Taverna"),
        ("𝕿𝖍𝖊 ﬁne Ｐｕｂ №5", "The fine Pub No5", "The fine Pub No5"),
        ("a\u0335b", "ab", "ab"),
        ("\u0259\u0254\u1e9e", "eoSs", "eoSs"),
        ("🍺 The Swan 🍺", "The Swan", "The Swan"),
        ("❤\ufe0f Love’s", "Love’s", "Love's"),
        ("🦢", "Swan", "Swan"),
        ("The 🦢", "The Swan", "The Swan"),
        ("7\u2011Eleven", "7-Eleven", "7-Eleven"),
        ("Fish🍟Chips", "Fish Chips", "Fish Chips"),
        ("Salt•Pepper", "Salt·Pepper", "Salt Pepper"),
        ("🇬🇧 Fish", "GB Fish", "GB Fish"),
        ("金龍 Golden Dragon", "Golden Dragon", "Golden Dragon"),
        ("مقهى", "", ""),
        ("", "", ""),
    ],
)
def test_spelled_in_the_nearest_plain_letters(name: str, on_panel: str, in_ascii: str) -> None:
    assert on_panel == spelled(name, PANEL_LETTERS.__contains__)
    assert in_ascii == spelled(name, str.isascii)


@given(st.text())
def test_spelled_is_in_the_alphabet_and_twice_the_same(text: str) -> None:
    for alphabet in (PANEL_LETTERS.__contains__, str.isascii):
        once = spelled(text, alphabet)
        assert all(map(alphabet, once))
        assert once == spelled(once, alphabet)


@given(st.text(alphabet=sorted(PANEL_LETTERS)))
def test_spelled_leaves_alone_what_the_panel_has(text: str) -> None:
    assert text == spelled(text, PANEL_LETTERS.__contains__)


@given(st.characters(categories=["Lu", "Ll"], max_codepoint=0x17F))
def test_every_latin_letter_of_a_european_name_is_spelled(letter: str) -> None:
    if letter not in "ĸµſªº":
        assert plain(letter, str.isascii).isalpha()
