"""What members must not read when they vote: whether a text says who the person is (G11)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from office.members.facts import folded

_LETTERS_MIN: Final = 3
"""A shorter word of a name is in every other sentence, unless it is spelled as the name spells it."""
_LETTERS_AS_SPELLED: Final = 2
"""Initials do not count."""
_WORD: Final = re.compile(r"[^\W\d_]+")


def names_in(text: str, names: Iterable[str]) -> list[str]:
    """Words of these names that a text holds, as the names spell them. Capitals and accents do not matter.

    In a word of two letters they do: ``Ng`` is found, ``ng`` is not.
    """
    held, spelled = set(_WORD.findall(folded(text))), set(_WORD.findall(text))
    words = (word for name in names for word in _WORD.findall(name))
    return list(
        dict.fromkeys(
            word
            for word in words
            if (len(word) >= _LETTERS_MIN and folded(word) in held)
            or (len(word) == _LETTERS_AS_SPELLED and word in spelled)
        )
    )


def references_in(text: str, references: Iterable[str]) -> list[str]:
    """Those of these references that a text holds: by them readers of the register would find who it is."""
    held = folded(text)
    return [one for one in references if one and folded(one) in held]


def why_blind(found: Iterable[str]) -> str:
    """What is said of such a text."""
    quoted = ", ".join(f"“{word}”" for word in found)
    return f"This seems to name the person ({quoted}). Members vote without knowing who it is: take the name out."
