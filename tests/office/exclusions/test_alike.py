from __future__ import annotations

from datetime import date

import pytest

from office.exclusions.rules.alike import SHOWN_MAX, Described, suggestions

BORN = date(1990, 5, 1)


def found(name: str, *register: str, born_on: date | None = None) -> list[tuple[int, str]]:
    """Suggestions for a name in a register of names, numbered from 1; all of them born on :data:`BORN`."""
    known = [Described(number, (one, ""), BORN) for number, one in enumerate(register, 1)]
    return [(one.number, one.why) for one in suggestions(Described(0, (name, ""), born_on), known)]


@pytest.mark.parametrize("typed", ["José Núñez", "jose nunez", "Nunez  JOSE", "NÚÑEZ José"])
def test_same_name_is_found_without_capitals_accents_and_order(typed: str) -> None:
    assert found(typed, "Sam Field", "José Núñez") == [(2, "the same name")]


@pytest.mark.parametrize("typed", ["Jonh Smith", "John Smyth", "Jon Smith", "John Smithe"])
def test_similar_spelling_is_found(typed: str) -> None:
    assert found(typed, "John Smith", "Mary Poole") == [(1, "a similar name")]


@pytest.mark.parametrize("typed", ["Mary Poole", "Joan Hart", "", "J", "\u05d0\u05d1\u05d2"])
def test_another_name_is_not(typed: str) -> None:
    assert found(typed, "John Smith") == []


def test_date_of_birth_counts_with_and_without_a_name() -> None:
    assert found("Johnny Smithson", "John Smith", born_on=BORN) == [(1, "a similar name and date of birth")]
    assert found("", "John Smith", born_on=BORN) == [(1, "the same date of birth")]
    assert found("", "John Smith", born_on=date(1991, 5, 1)) == []


def test_other_names_count_both_ways() -> None:
    known = [Described(1, ("John Smith", "Smudge Jones"))]

    assert [one.number for one in suggestions(Described(0, ("Smudge Jones", "")), known)] == [1]
    assert [one.number for one in suggestions(Described(0, ("Somebody", "John Smith")), known)] == [1]


def test_nobody_is_suggested_to_be_themselves_and_the_likeliest_come_first() -> None:
    known = [Described(number, ("John Smyth",)) for number in range(1, 20)]
    known += [Described(20, ("John Smith",)), Described(21, ("John Smith",))]

    ranked = suggestions(Described(21, ("John Smith",)), known)
    assert len(ranked) == SHOWN_MAX
    assert [one.number for one in ranked[:2]] == [20, 1]
