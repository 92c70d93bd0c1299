"""What a search of the register finds."""

from __future__ import annotations

import pytest

from office.exclusions.rules.search import amiss_max, is_close, matching, words_of

SLUGS = {1: "hart", 2: "pubwatch"}
ENTRIES = [
    (1, 1, 42, "jonathan o'neill", "Tall, red coat\nHigh Street"),
    (2, 1, 7, "maria de souza mitzi", "\nCafé Lux"),
    (3, 1, 100, "", "Grey beard, walks with a stick\nHigh Street"),
    (4, 1, 421, "jon oneil", "\nMarket"),
    (5, 2, 42, "featherstonehaugh-cholmondeley", "\nMarket"),
]


def found(text: str) -> list[int]:
    return matching(words_of(text), ENTRIES, SLUGS)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("jonathan", [1]),
        ("Jonathon O’Neil", [1]),
        ("JOHNATHAN", [1]),
        ("jnoathan", [1]),
        ("oneill", [1, 4]),
        ("onei", [1, 4]),
        ("desouza", [2]),
        ("mraia souza", [2]),
        ("Mária", [2]),
        ("cafe", [2]),
        ("HART-0042", [1]),
        ("#0042", [1, 5]),
        ("0043", []),
        ("red coat", [1]),
        ("stick beard", [3]),
        ("high street", [1, 3]),
        ("street jon", [1]),
        ("Cholmondley", [5]),
        ("Featherstonehaugh-Cholmondeley", [5]),
        ("xyz", []),
        ("...", [1, 2, 3, 4, 5]),
        ("jo\N{ZERO WIDTH SPACE}nathan\N{RIGHT-TO-LEFT OVERRIDE}", [1]),
    ],
)
def test_search_finds_by_every_word_and_forgives_a_letter(text: str, numbers: list[int]) -> None:
    assert found(text) == numbers


def test_search_shows_what_is_written_so_before_what_is_close() -> None:
    entries = [(at, 1, at, name, "") for at, name in enumerate(("marie", "maria", "mario", "maria"), 1)]

    assert matching(["maria"], entries, SLUGS) == [2, 4, 1, 3]


def test_wrong_letter_is_forgiven_though_neither_has_the_others() -> None:
    assert matching(["jock"], [(1, 1, 1, "jack", "")], SLUGS) == [1]
    assert matching(["jonadham"], [(1, 1, 1, "jonathan", "")], SLUGS) == [1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  Jo  REED jo ", ["jo", "reed"]),
        ("O’Neil d'Arc", ["oneil", "darc"]),
        ("jo\N{ZERO WIDTH SPACE}na\N{RIGHT-TO-LEFT OVERRIDE}than", ["jonathan"]),
        ("Smith-Jones", ["smith", "jones"]),
        ("(HART-0042),", ["hart-0042"]),
        ("a b c d e f g h i j", ["a", "b", "c", "d", "e", "f", "g", "h"]),
        ("\N{BELL} – ...", []),
    ],
)
def test_words_of_a_search_are_folded_and_few(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_search_of_nothing_finds_nothing() -> None:
    assert matching(["maria"], [], SLUGS) == []


@pytest.mark.parametrize(
    ("word", "most"), [("jo", 0), ("tom", 0), ("jack", 1), ("marias", 1), ("jonatha", 2), ("hart-0042", 0), ("0042", 0)]
)
def test_short_words_and_numbers_are_searched_as_they_are(word: str, most: int) -> None:
    assert amiss_max(word) == most


@pytest.mark.parametrize(
    ("word", "other", "most", "is_it"),
    [
        ("smith", "smith", 0, True),
        ("smith", "smyth", 1, True),
        ("smith", "smyth", 0, False),
        ("smith", "msith", 1, True),
        ("smith", "smiht", 1, True),
        ("smith", "smit", 1, True),
        ("smith", "smithe", 1, True),
        ("smith", "msiht", 1, False),
        ("smith", "msiht", 2, True),
        ("smith", "jones", 2, False),
        ("a", "", 1, True),
    ],
)
def test_letters_amiss_are_counted_with_swaps_as_one(word: str, other: str, most: int, is_it: bool) -> None:  # noqa: FBT001
    assert is_close(word, other, most) is is_it
    assert is_close(other, word, most) is is_it
