"""The sentences spoken on the air. From a premises' name only letters, digits and pauses are spoken."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from node.core.air import Phrase
from node.core.spelling import spelled
from wire.limits import NAME_CHARS_MAX

_WARNINGS: Final = MappingProxyType(
    {
        Phrase.ATTACK: "Attack.",
        Phrase.ASSIST: "Assistance needed.",
        Phrase.THEFT: "Theft in progress.",
        # Nobody is accused on a channel that anyone can hear (N7).
        Phrase.SIGHTING: "Sighting.",
        Phrase.DISORDER: "Disorder.",
        Phrase.BREACH: "Excluded person.",
        Phrase.CALL_REQUEST: "Please call.",
        Phrase.CANCEL: "Alert cancelled.",
        Phrase.TEST: "Test only.",
    }
)
_NO_WORDS: Final[Mapping[Phrase, str]] = MappingProxyType({})
_ABBREVIATIONS: Final = MappingProxyType(
    {
        "ave": "Avenue", "cl": "Close", "cres": "Crescent", "ctr": "Centre", "dept": "Department", "dr": "Drive",
        "gdns": "Gardens", "gr": "Grove", "ln": "Lane", "mkt": "Market", "pde": "Parade", "pk": "Park", "pl": "Place",
        "rd": "Road", "sq": "Square", "stn": "Station", "ter": "Terrace", "tce": "Terrace", "wk": "Walk",
    }
)  # fmt: skip
_DIRECTIONS: Final = frozenset(("north", "south", "east", "west", "n", "s", "e", "w"))
_WORD_MARKS: Final = "'’"
_PAUSES: Final = ",.;:/()|"
_LETTERS_LAST: Final = "ſ"
"""Of the Latin letters that a British voice speaks, Welsh and Polish ones among them; of what comes after in Unicode it
says the names, and of many the number, sign by sign."""
_SPELLED: Final = frozenset(("So", "Mn", "Mc", "Me", "Cf"))
"""Besides letters: symbols, and marks and joiners that belong to what stands before them."""


_UNSPEAKABLE: Final = "a member"
"""For a name that no British voice can say."""


def sentences(
    premises: str, place: str, neutral: str = "", words: Mapping[Phrase, str] = _NO_WORDS
) -> dict[Phrase, str]:
    """Every phrase's sentence: what has happened and where, said twice because a radio clips the first word.

    Args:
        premises: the node's, as in ``node.toml``.
        place: likewise; may be empty.
        neutral: the scheme's words for a silent attack, spoken once and unchanged; empty = no sentence (N4).
        words: what has happened, instead of the usual words.
    """
    warnings = _WARNINGS | {phrase: f"{spoken}." for phrase, text in words.items() if (spoken := speakable(text))}
    name = speakable(premises) or _UNSPEAKABLE
    where = ", ".join(filter(None, (name, speakable(_without_abbreviations(place)))))
    said = {phrase: _twice(f"{warning} {where}.") for phrase, warning in warnings.items()}
    if code := speakable(neutral):
        said[Phrase.NEUTRAL] = f"{code}."
    return said


def about_person(sentence: str, reference: str) -> str:
    """``Excluded person. HART 42. Boots.``, twice: with the reference after what has happened.

    Anyone can hear it: nothing but letters and digits of the reference is ever added.
    """
    warning, _, where = once(sentence).partition(". ")
    return _twice(f"{warning}. {speakable(reference)}. {where}")


def _twice(sentence: str) -> str:
    return f"{sentence} {sentence}"


def once(sentence: str) -> str:
    """A sentence said twice reduced to once; any other unchanged."""
    half = sentence[: len(sentence) // 2]
    return half if sentence == f"{half} {half}" else sentence


def speakable(text: str) -> str:
    """``text`` without anything that a speech program could take as markup, an option or a command.

    Letters that a voice can speak, digits, apostrophes inside words, and pauses as commas; ``&`` is "and". Everything
    else is a space.
    """
    kept = []
    letters = spelled(text[:NAME_CHARS_MAX], _is_spoken)[:NAME_CHARS_MAX]
    for before, character, after in zip(f" {letters}", letters, f"{letters[1:]} ", strict=False):
        if character.isalnum() or (character in _WORD_MARKS and before.isalpha() and after.isalpha()):
            kept.append(character)
        elif character == "&":
            kept.append(" and ")
        elif character in _PAUSES:
            kept.append(", ")
        else:
            kept.append(" ")
    parts = (" ".join(part.split()) for part in "".join(kept).split(","))
    return ", ".join(filter(None, parts))


def _is_spoken(character: str) -> bool:
    is_unspoken = character.isalnum() or unicodedata.category(character) in _SPELLED
    return character <= _LETTERS_LAST or not is_unspoken


def _without_abbreviations(place: str) -> str:
    """``High St`` is said High Street, ``St Ann's Rd`` Saint Ann's Road."""
    words = place.replace(".", " ").split()
    said = []
    for at, word in enumerate(words):
        following = words[at + 1].strip(",").lower() if at + 1 < len(words) else ""
        bare = word.rstrip(",")
        pause = word[len(bare) :]
        if bare.lower() == "st":
            is_street = not following or bool(pause) or following in _DIRECTIONS or not following[0].isalpha()
            said.append(("Street" if is_street and at else "Saint") + pause)
        else:
            said.append(_ABBREVIATIONS.get(bare.lower(), bare) + pause)
    return " ".join(said)
