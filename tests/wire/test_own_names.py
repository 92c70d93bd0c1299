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
    ],
)
def test_name_of_a_person_is_not_taken_for_it(name: str) -> None:
    assert not is_own_name(name)
