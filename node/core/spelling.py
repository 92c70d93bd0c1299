"""Names in the letters there are: what the panel's typeface or a voice lacks is written in the nearest plain letters.

Mostly by Unicode's own data, its decompositions and names; the few letters of which these tell nothing are listed here.
A script that nothing here spells, such as Chinese, is left out: who asks must have something else to show.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

Alphabet = Callable[[str], bool]
"""Whether a character can be shown, or said, as it is."""

_RANGES: Final = (
    (" ", "~"), ("¡", "¬"), ("®", "ſ"), ("Ș", "ț"),  # Latin: Welsh, Polish, Romanian …
    ("Ά", "Ί"), ("Ό", "Ό"), ("Ύ", "Ρ"), ("Σ", "ώ"), ("Ѐ", "џ"), ("Ґ", "ґ"),  # Greek and Cyrillic
    ("–", "—"), ("‘", "’"), ("“", "”"), ("…", "…"), ("€", "€"),
)  # fmt: skip
PANEL_LETTERS: Final = frozenset(chr(n) for first, last in _RANGES for n in range(ord(first), ord(last) + 1))
"""What the panel's typeface has for names. The panel's own marks, such as ``✓`` and ``►``, are not among them: no name
may say with them what only the node can."""

LETTERS_ENOUGH: Final = 4
"""A name with so many letters is known by them, and its symbols are decoration; a shorter one needs them."""

_PLAIN: Final = MappingProxyType(
    {
        **dict(zip("αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstyfo", strict=True)),
        **dict(zip("абвгдезийклмнопрстуфыэіґ", "abvgdeziyklmnoprstufyeig", strict=True)),
        "θ": "th", "χ": "ch", "ψ": "ps", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch",
        "є": "ye", "ю": "yu", "я": "ya", "ß": "ss", "ð": "d", "þ": "th", "ŋ": "ng", "ə": "e", "⁄": "/",
        "‐": "-", "‑": "-", "−": "-", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "•": "·",
    }
)  # fmt: skip
_BY_NAME: Final = re.compile(r"(?:LATIN|REGIONAL).* (?:LETTER|LIGATURE)(?: [A-Z]+)*? ([A-Z]{1,2})(?: WITH .*)?")


def spelled(text: str, alphabet: Alphabet) -> str:
    """``text`` in the letters of ``alphabet``; empty if none of it can be spelled.

    Symbols such as emoji are left out, or named where hardly any letters stand beside them.
    """
    text = unicodedata.normalize("NFC", text)
    if all(map(alphabet, text)):
        return text
    letters = [plain(character, alphabet) or _gap(character) for character in text]
    if sum(map(str.isalnum, "".join(letters))) < LETTERS_ENOUGH:
        letters = [
            spelling if spelling.strip() else _symbol(character)
            for spelling, character in zip(letters, text, strict=True)
        ]
    return " ".join("".join(letters).split())


def plain(character: str, alphabet: Alphabet) -> str:
    """One character in the letters of ``alphabet``: itself, or the nearest to it; empty if there is nothing near."""
    if alphabet(character):
        return character
    parts = unicodedata.normalize("NFKD", character)
    letters = (part for part in parts if not unicodedata.category(part).startswith("M"))
    return "".join(letter if alphabet(letter) else _nearest(letter, alphabet) for letter in letters)


def _nearest(character: str, alphabet: Alphabet) -> str:
    nearest = _PLAIN.get(character.lower(), "")
    if not nearest and (named := _BY_NAME.fullmatch(unicodedata.name(character, ""))):
        nearest = named[1].lower()
    if not all(map(alphabet, nearest)):
        return ""
    return nearest if character.islower() else nearest.capitalize()


def _gap(character: str) -> str:
    """A space for what is left out, so that words do not run together; nothing for what belongs to its neighbours."""
    return "" if unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf", "Sk") else " "


def _symbol(character: str) -> str:
    is_symbol = unicodedata.category(character) == "So"
    return f" {unicodedata.name(character, '').capitalize()} " if is_symbol else ""
