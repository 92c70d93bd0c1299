"""Who in a register may be the person that somebody writes of: told by their words alone, never by a face (G1).

A name is compared without capitals, accents and the order of its words; letters may be missing or swapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from msgspec import Struct

from office.members.facts import folded

SHOWN_MAX: Final = 5
_ALIKE: Final = 0.8
_ALIKE_IF_BORN_THEN: Final = 0.6
_PAIRS_ALIKE: Final = 0.35
"""Share of pairs of letters below which two names are not compared further: that is twenty times as fast."""


class Described(Struct, frozen=True):
    """A person by their words.

    Attributes:
        number: of the row; 0 = not in the register.
        names: name and other names; empty ones do not count.
        born_on: ``None`` = not known.
    """

    number: int
    names: tuple[str, ...]
    born_on: date | None = None


class Suggestion(Struct, frozen=True):
    """Somebody who may be the same.

    Attributes:
        number: of the row.
        why: in words.
        likeness: 0 … 1.
    """

    number: int
    why: str
    likeness: float


def suggestions(person: Described, register: Iterable[Described]) -> list[Suggestion]:
    """The most alike first, at most :data:`SHOWN_MAX`."""
    # The matcher remembers what it learnt of its second text, so that is the one that stays.
    wanted = [
        (_pairs(name), SequenceMatcher(b=name, autojunk=False)) for name in map(_sorted_words, person.names) if name
    ]
    found = (_compare(wanted, person, known) for known in register if known.number != person.number)
    ranked = sorted((one for one in found if one is not None), key=lambda one: (-one.likeness, one.number))
    return ranked[:SHOWN_MAX]


def _compare(
    wanted: list[tuple[frozenset[str], SequenceMatcher[str]]], person: Described, known: Described
) -> Suggestion | None:
    is_born_then = person.born_on is not None and person.born_on == known.born_on
    needed, likeness = _ALIKE_IF_BORN_THEN if is_born_then else _ALIKE, 0.0
    for name in filter(None, map(_sorted_words, filter(None, known.names))):
        pairs = _pairs(name)
        for my_pairs, matcher in wanted:
            if 2 * len(pairs & my_pairs) >= _PAIRS_ALIKE * (len(pairs) + len(my_pairs)):
                matcher.set_seq1(name)
                # Both are never less than the ratio itself, which takes ten times as long.
                if matcher.real_quick_ratio() >= needed and matcher.quick_ratio() >= needed:
                    likeness = max(likeness, matcher.ratio())
    if likeness >= needed:
        why = "the same name" if likeness == 1 else "a similar name"
        return Suggestion(known.number, f"{why} and date of birth" if is_born_then else why, likeness)
    if is_born_then:
        return Suggestion(known.number, "the same date of birth", 0.5)
    return None


def _sorted_words(name: str) -> str:
    return " ".join(sorted(folded(name).split()))


def _pairs(name: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(name))) or frozenset({name})
