"""Names that Watchlink goes by itself: no person may have one, for what it does is recorded and shown under them."""

from __future__ import annotations

import unicodedata
from typing import Final

from wire.kinds import AUTOMATIC_NAME, WATCHLINK_ROLE

_OWN: Final = (WATCHLINK_ROLE, f"{WATCHLINK_ROLE} itself", "central", AUTOMATIC_NAME)

# The letters of these names, and what looks like them on a screen: small capitals, then Cyrillic, Greek, Lisu and
# Cherokee (Unicode Technical Standard 39, confusables).
_LOOK_ALIKE: Final = {
    "a": "\u0251\u1d00\u0410\u0430\u0391\u03b1\ua4ee\u13aa",
    "c": "\u1d04\u0421\u0441\u03f9\u03f2\ua4da\u13df",
    "e": "\u1d07\u0415\u0435\u0395\u03b5\ua4f0\u13ac",
    "f": "\ua730\u0192\u0492\u0493\ua4dd",
    "h": "\u029c\u0127\u04ba\u04bb\u041d\u043d\u0397\ua4e7\u13bb",
    "i": "\u0131\u026a\u0406\u0456\u0399\u03b9\ua4f2\u13c6",
    "k": "\u1d0b\u041a\u043a\u039a\u03ba\ua4d7\u13e6",
    "l": "\u029f\u0141\u0142\u04c0\u04cf\ua4e1\u13de|",
    "m": "\u1d0d\u041c\u043c\u039c\ua4df\u13b7",
    "n": "\u0274\u043f\u039d\u03b7\ua4e0",
    "o": "\u1d0f\u041e\u043e\u039f\u03bf\ua4f3",
    "r": "\u0280\u0433\ua4e3\u13a1",
    "s": "\ua731\u0405\u0455\ua4e2\u13da",
    "t": "\u1d1b\u0422\u0442\u03a4\u03c4\ua4d4\u13a2",
    "u": "\u1d1c\u03c5\ua4f4",
    "w": "\u1d21\u051c\u051d\u0461\u03c9\ua4ea\u13b3",
}
_LATIN: Final = str.maketrans({other: letter for letter, others in _LOOK_ALIKE.items() for other in others})
# A capital I, a small l and a one differ by a pixel or two, two v by less.
_STROKES: Final = str.maketrans({"i": "l", "1": "l", "0": "o"})


def is_own_name(text: str) -> bool:
    """Whether a person would read ``text`` as one of Watchlink's own names.

    Capitals, accents, spaces, punctuation and what no screen shows do not count; letters that look alike are alike.
    """
    # A bar is a letter or punctuation.
    return not _READINGS.isdisjoint((_reading(text), _reading(text.replace("|", ""))))


def _reading(text: str) -> str:
    plain = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    letters = "".join(c for c in "".join(plain).translate(_LATIN).casefold() if c.isalnum())
    return letters.translate(_STROKES).replace("vv", "w").replace("rn", "m")


_READINGS: Final = frozenset(map(_reading, _OWN))
