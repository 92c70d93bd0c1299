"""Names that Watchlink goes by itself: no person may have one, for what it does is recorded and shown under them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from wire.kinds import AUTOMATIC_NAME, WATCHLINK_ROLE

_OWN: Final = (WATCHLINK_ROLE, f"{WATCHLINK_ROLE} itself", "central", AUTOMATIC_NAME)

# The letters of these names, and what looks like them on a screen, small or large: each single character that Unicode
# Technical Standard 39 calls confusable with one (confusables.txt as of January 2024), in any writing that runs from
# left to right, and small capitals. What normalises to one of these is left out.
_LOOK_ALIKE: Final = {
    "a": "\u0251\u0391\u03b1\u0410\u0430\u13aa\u15c5\u1d00\u237a\ua4ee\U000102a0\U00016f40",
    "c": (
        "\u03f2\u03f9\u0421\u0441\u13df\u1d04\u2ca4\u2ca5\ua4da\uabaf\U000102a2\U00010302\U00010415\U0001043d"
        "\U0001051c\U000118e9\U000118f2\U0001f74c"
    ),
    "e": "\u0395\u03b5\u0415\u0435\u04bd\u13ac\u1d07\u212e\u22ff\u2d39\ua4f0\uab32\U00010286\U000118a6\U000118ae",
    "f": (
        "\u0192\u03dc\u0492\u0493\u0584\u15b4\ua4dd\ua730\ua798\ua799\uab35\U00010287\U000102a5\U00010525\U000118a2"
        "\U000118c2\U0001d213"
    ),
    "h": "\u0127\u029c\u0397\u041d\u043d\u04ba\u04bb\u0570\u13bb\u13c2\u157c\u2c8e\ua4e7\U000102cf",
    "i": "\u0131\u0269\u026a\u02db\u037a\u0399\u03b9\u0406\u0456\u04cf\u13a5\u13c6\u2373\ua4f2\ua647\uab75\U000118c3",
    "k": "\u039a\u03ba\u041a\u043a\u13e6\u16d5\u1d0b\u2c94\ua4d7\U00010518",
    "l": (
        "|\u0141\u0142\u0196\u01c0\u029f\u04c0\u06f1\u13de\u14aa\u16c1\u2223\u23fd\u2c92\u2cd0\u2d4f\ua4e1\uffe8"
        "\U0001028a\U00010309\U00010320\U0001041b\U00010526\U000118a3\U000118b2\U00016f16\U00016f28\U0001d22a"
    ),
    "m": "\u039c\u03fa\u041c\u043c\u13b7\u15f0\u16d6\u1d0d\u2c98\ua4df\U000102b0\U00010311",
    "n": "\u0274\u039d\u03b7\u043f\u0578\u057c\u2c9a\ua4e0\U00010513",
    "o": (
        "\u039f\u03bf\u03c3\u041e\u043e\u0555\u0585\u06f5\u0966\u09e6\u0a66\u0ae6\u0b20\u0b66\u0be6\u0c02\u0c66\u0c82"
        "\u0ce6\u0d02\u0d20\u0d66\u0d82\u0e50\u0ed0\u101d\u1040\u10ff\u12d0\u1d0f\u1d11\u2c9e\u2c9f\u2d54\u3007\ua4f3"
        "\uab3d\U00010292\U000102ab\U00010404\U0001042c\U000104c2\U000104ea\U00010516\U000114d0\U000118b5\U000118c8"
        "\U000118d7\U000118e0"
    ),
    "r": "\u01a6\u0280\u0433\u13a1\u13d2\u1587\u1d26\u2c85\ua4e3\uab47\uab48\uab81\U000104b4\U00016f35\U0001d216",
    "s": "\u01bd\u0405\u0455\u054f\u13d5\u13da\ua4e2\ua731\uabaa\U00010296\U00010420\U00010448\U000118c1\U00016f3a",
    "t": (
        "\u03a4\u03c4\u0422\u0442\u13a2\u1d1b\u22a4\u27d9\u2ca6\ua4d4\U00010297\U000102b1\U00010315\U000118bc"
        "\U00016f0a\U0001f768"
    ),
    "u": (
        "\u028b\u03c5\u054d\u057d\u1200\u144c\u1d1c\u222a\u22c3\ua4f4\ua79f\uab4e\uab52\U000104ce\U000104f6\U000118b8"
        "\U000118d8\U00016f42"
    ),
    "w": (
        "\u026f\u03c9\u0461\u051c\u051d\u0561\u13b3\u13d4\u1d21\ua4ea\uab83\U0001170a\U0001170e\U0001170f\U000118e6"
        "\U000118ef"
    ),
    "au": "\ua736\ua737",
    "ts": "\u02a6",
}
_LATIN: Final = str.maketrans({other: letter for letter, others in _LOOK_ALIKE.items() for other in others})
_WITH: Final = re.compile(r"LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH ")
# A capital I, a small l and a one differ by a pixel or two, two v by less.
_STROKES: Final = str.maketrans({"i": "l", "1": "l", "0": "o"})


def is_own_name(text: str) -> bool:
    """Whether a person would read ``text`` as one of Watchlink's own names.

    Capitals, accents, spaces, punctuation and what no screen shows do not count; letters that look alike are alike.
    Only the whole name is compared, so that no person's own name is refused. Not noticed: a letter left out or doubled,
    digits that merely remind of a letter (``3`` for ``e``), what is written from right to left, and other words of the
    same meaning.
    """
    # A bar is a letter or punctuation.
    return not _READINGS.isdisjoint((_reading(text), _reading(text.replace("|", ""))))


def _reading(text: str) -> str:
    # Before as well: some letters look like one letter, and are normalised to another.
    apart = unicodedata.normalize("NFKD", text.translate(_LATIN))
    plain = "".join(_bare(c) for c in apart if not unicodedata.combining(c))
    letters = "".join(c for c in plain.translate(_LATIN).casefold() if c.isalnum())
    return letters.translate(_STROKES).replace("vv", "w").replace("rn", "m")


def _bare(character: str) -> str:
    """``ħ`` → ``h``: a stroke, hook or tail is no accent that could be taken apart."""
    found = None if character.isascii() else _WITH.match(unicodedata.name(character, ""))
    return character if found is None else found[1].lower()


_READINGS: Final = frozenset(map(_reading, _OWN))
