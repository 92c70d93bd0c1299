"""What a search of the register finds: names with a letter or two amiss, and words of the rest as they stand.

Every word of a search must be found. A name's word may have one letter too many, missing, wrong or swapped with its
neighbour if the word that is looked for has four letters, and two from seven on (optimal string alignment distance).
Anything else is found by part of it, without capitals and accents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from office.members.facts import folded

WORDS_MAX: Final = 8
_ONE_AMISS_FROM: Final = 4
_TWO_AMISS_FROM: Final = 7
_WORD: Final = re.compile(r"\w+")
_BETWEEN_WORDS: Final = re.compile(r"[^\w \n]+")
_WITHIN_NAMES: Final = re.compile("['’`\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Apostrophes, and what cannot be seen: O'Brien is found as obrien."""


Entry = tuple[int, int, int, str, str]
"""What of a case is searched: number of the case, of the scheme and of the person, names folded in one line, and
description with place as written. As a query gives it: ten thousand are read for each search."""


def words_of(text: str) -> list[str]:
    """The words of a search, folded, at most :data:`WORDS_MAX`. A reference, ``hart-0042``, stays one word."""
    words: list[str] = []
    for word in _WITHIN_NAMES.sub("", folded(text)).split():
        words += [word.strip(',.;:!?()"#')] if _has_number(word) else _WORD.findall(word)
    return list(dict.fromkeys(filter(None, words)))[:WORDS_MAX]


def matching(words: Sequence[str], entries: Sequence[Entry], slugs: Mapping[int, str]) -> list[int]:
    """Numbers of the cases in which every word is found: first those as it is written, each in the order given.

    Args:
        words: of :func:`words_of`.
        entries: to search.
        slugs: of the schemes, by number: references begin with them.
    """
    if not entries:
        return []
    # All at once: one by one takes several times as long.
    all_names = _BETWEEN_WORDS.sub(" ", _WITHIN_NAMES.sub("", "\n".join([entry[3] for entry in entries])))
    names, vocabulary = all_names.split("\n"), frozenset(all_names.split())
    rests = [rest.lower() if rest.isascii() else folded(rest) for *_, rest in entries]
    if any(map(_has_number, words)):
        rests = [
            f"{slugs[scheme]}-{person:04}\n{rest}" for (_, scheme, person, *_), rest in zip(entries, rests, strict=True)
        ]
    found = list(range(len(entries)))
    loose: set[int] = set()
    for word in words:
        close = _close(word, vocabulary)
        kept = []
        for at in found:
            if word in names[at] or word in rests[at]:
                kept.append(at)
            elif close and not close.isdisjoint(names[at].split()):
                loose.add(at)
                kept.append(at)
        found = kept
    return [entries[at][0] for at in (*(at for at in found if at not in loose), *(at for at in found if at in loose))]


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


def _without(text: str, letters: str) -> str:
    """What of a text is left when each of ``letters`` is taken away once."""
    for letter in letters:
        text = text.replace(letter, "", 1)
    return text


def _has_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _close(word: str, vocabulary: frozenset[str]) -> frozenset[str]:
    """The words of a vocabulary that are close to a word."""
    most = amiss_max(word)
    if not most:
        return frozenset()
    letters = frozenset(word)
    # Cheap tests first, which let pass all that are close.
    return frozenset(
        one
        for one in vocabulary
        if abs(len(one) - len(word)) <= most
        and len(letters.symmetric_difference(one)) <= 2 * most
        and len(_without(one, word)) <= most
        and is_close(word, one, most)
    )
