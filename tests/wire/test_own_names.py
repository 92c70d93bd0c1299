"""Which names a person would take for Watchlink's own."""

from __future__ import annotations

import pytest

from wire.own_names import is_own_name


@pytest.mark.parametrize(
    "name",
    [
        "Watchlink",
        "watchlink",
        " WATCHLINK ",
        "Watch link",
        "Watchlink itself",
        "watchlink-itself.",
        "Central",
        "c e n t r a l",
        "automatic",
        "Watch\u200blink",  # zero-width space
        "Watch\u2060link\ufeff",  # word joiner, byte order mark
        "Wa\u0301tchlink",  # an accent
        "Ｗａｔｃｈｌｉｎｋ",
        "𝐖𝐚𝐭𝐜𝐡𝐥𝐢𝐧𝐤",  # mathematical bold
        "W\u0430t\u0441hlink",  # Cyrillic a, c
        "\u051dat\u0441\u04bbl\u0456nk itsel\u0493",  # Cyrillic w, c, h, i, f
        "\u0421\u0415N\u0422R\u0410L",  # Cyrillic C, E, T, A
        "Watchl\u03b9\u03b7\u03ba",  # Greek i, n, k
        "C\u0395\u039d\u03a4R\u0391L",  # Greek E, N, T, A
        "\u1d21\u1d00\u1d1b\u1d04\u029c\u029f\u026a\u0274\u1d0b",  # small capitals
        "WatchIink",  # a capital I for the l
        "Watchl1nk",
        "VVatchlink",
        "Centra|",
        "Watchlink|",
        "Autornatic",
        "Aut0matic",
        "\ua4ea\ua4ee\ua4d4\ua4da\ua4e7\ua4e1\ua4f2\ua4e0\ua4d7",  # Lisu
        "\u13b3\u13aaTC\u13bb\u13deIN\u13e6",  # Cherokee W, A, H, L, K
        "\u0561\u0251tc\u0570l\u0269\u0578k it\u01bdelf",  # Armenian w, h, n; Latin alpha, iota, tone five
        "\u2ca4EN\u2ca6R\u15c5L",  # Coptic C, T; Canadian syllabics A
        "\ua736\u27d9\u0555MA\u22a4\u16c1\u03f9",  # AU as one letter, tacks, Armenian O, a rune, lunate sigma
        "W\u0101\u0167ch\u0142\u0268\u0272\u0199 i\u0288s\u0247lf",  # strokes, hooks and tails
        "C\u212eNTR\u237a\u01c0",  # estimated symbol, APL alpha, a click
        "Autom\U00016f40\U00010297ic",  # Miao A, Lycian T
    ],
)
def test_own_name_is_known_however_it_is_written(name: str) -> None:
    assert is_own_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "J Patel",
        "Priya Shah",
        "Chen Tral",
        "Watt Link",
        "Central Stores",
        "Otto Matic",
        "Centrale Rossi",
        "Ольга Центральная",
        "Wat",
        "Αλέξανδρος",
        "Seán Ó Súilleabháin",
        "Caoimhe Nic Gearailt",
        "Łucja Wątła",
        "Zbigniew Świętochłowski",
        "Llŷr ap Gwilym",
        "Siân Llewelyn-Watkin",
        "Олексій Ткаченко",
        "Наталія Централенко",
        "Ігор Вачлін",
        "Նարե Հակոբյան",
        "Søren Kierkegård",
        "Đorđe Ćentić",
        "Anna Central-Watch",
        "Watchlinka Itselfová",
    ],
)
def test_name_of_a_person_is_not_taken_for_it(name: str) -> None:
    assert not is_own_name(name)
