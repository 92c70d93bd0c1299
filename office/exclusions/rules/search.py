"""What a search of the register finds: names with a letter or two amiss, and words of the rest as they stand.

Every word of a search must be found. A name's word may have one letter too many, missing, wrong or swapped with its
neighbour if the word that is looked for has four letters, and two from seven on (optimal string alignment distance).
Anything else is found by part of it, without capitals and accents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from office.members.facts import folded

WORDS_MAX: Final = 8
_ONE_AMISS_FROM: Final = 4
_TWO_AMISS_FROM: Final = 7
_WORD: Final = re.compile(r"\w+")
_WITHIN_NAMES: Final = re.compile("['’`\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Apostrophes, and what cannot be seen: O'Brien is found as obrien."""


class Entry(NamedTuple):
    """What of a case is searched; not a Struct, for ten thousand are made for each search.

    Attributes:
        number: of the case.
        names: of the person, folded: one line.
        rest: reference, description and place, as they are written.
    """

    number: int
    names: str
    rest: str


def words_of(text: str) -> list[str]:
    """The words of a search, folded, at most :data:`WORDS_MAX`. A reference, ``hart-0042``, stays one word."""
    words: list[str] = []
    for word in _WITHIN_NAMES.sub("", folded(text)).split():
        has_number = any(letter.isdigit() for letter in word)
        words += [word.strip(',.;:!?()"#')] if has_number else _WORD.findall(word)
    return list(dict.fromkeys(filter(None, words)))[:WORDS_MAX]


def matching(words: Sequence[str], entries: Sequence[Entry]) -> list[int]:
    """Numbers of the cases in which every word is found: first those as it is written, each in the order given."""
    if not entries:
        return []
    names = _WITHIN_NAMES.sub("", "\n".join(entry.names for entry in entries)).split("\n")
    found = [
        (entry.number, its_names, rest.lower() if (rest := entry.rest).isascii() else folded(rest))
        for entry, its_names in zip(entries, names, strict=True)
    ]
    loose: set[int] = set()
    for word in words:
        plain = [one for one in found if word in one[1] or word in one[2]]
        close = _close(word, (names for _, names, _ in found))
        if close:
            exact = {number for number, _, _ in plain}
            near = {one[0] for one in found if one[0] not in exact and not close.isdisjoint(_WORD.findall(one[1]))}
            loose |= near
            plain = [one for one in found if one[0] in exact or one[0] in near]
        found = plain
    numbers = [number for number, _, _ in found]
    return [one for one in numbers if one not in loose] + [one for one in numbers if one in loose]


def amiss_max(word: str) -> int:
    """How many letters may be amiss. Numbers are as they are."""
    if not word.isalpha():
        return 0
    return (len(word) >= _ONE_AMISS_FROM) + (len(word) >= _TWO_AMISS_FROM)


def is_close(word: str, other: str, most: int) -> bool:
    """Whether at most ``most`` letters are amiss: too many, missing, wrong, or swapped with their neighbour."""
    if abs(len(word) - len(other)) > most:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        before, last, row = row, before, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == its:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return False
    return row[-1] <= most


def _close(word: str, names: Iterable[str]) -> frozenset[str]:
    """The words of the names that are close to a word."""
    most = amiss_max(word)
    if not most:
        return frozenset()
    letters = frozenset(word)
    # Each letter amiss adds at most two to what is in only one of the two: told before distances are computed.
    return frozenset(
        one
        for one in set(_WORD.findall("\n".join(names)))
        if abs(len(one) - len(word)) <= most
        and len(letters.symmetric_difference(one)) <= 2 * most
        and is_close(word, one, most)
    )
