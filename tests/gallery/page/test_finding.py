"""Somebody is found by name, reference or what they did, here, or this week; the address says so in words."""

from __future__ import annotations

import random
from datetime import date

import pytest
from msgspec.structs import replace

from gallery.page.finding import Index, Wanted, wanted
from gallery.page.ports import Person, SchemeGallery, Snapshot
from tests.support.gallery_card import DAY_S, NOW_S
from tests.support.gallery_page import PEOPLE, Row
from wire.gallery_lines import ENTRIES_MAX, EntryText


def person(row: Row) -> Person:
    case, name, category, here, days = row
    text = EntryText(reference=f"HART-{case:04}", category=category, name=name)
    return Person(1, case, case, text, here, NOW_S - days * DAY_S, date(2027, 11, 3))


def index_of(*rows: Row) -> Index:
    return Index(Snapshot("Corner Shop", (SchemeGallery(1, "HART", people=tuple(map(person, rows))),)))


INDEX = index_of(*PEOPLE)


def cases(query: str = "", *only: str) -> list[int]:
    return [one.case for one in INDEX.found(wanted(query, only, ""), NOW_S)]


def test_newest_bans_stand_first() -> None:
    assert [44, 42, 41, 40, 38, 35, 34, 31] == cases()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("marsh", [42]),
        ("  MARSH dean ", [42]),
        ("zoe", [41]),
        ("Zoë", [41]),
        ("hart-0042", [42]),
        ("hart0042", [42]),
        ("42", [42]),
        ("theft", [42, 35, 31]),
        ("abuse staff", [40]),
        ("nobody of this name", []),
    ],
)
def test_every_word_must_occur_however_it_is_written(query: str, expected: list[int]) -> None:
    assert expected == cases(query)


def test_filters_say_here_and_this_week() -> None:
    assert [42, 40, 34] == cases("", "here")
    assert [44, 42] == cases("", "this-week")
    assert [42] == cases("", "here", "this-week")
    assert [42] == cases("theft", "here")


def test_address_says_what_is_looked_for_and_makes_no_sense_of_nonsense() -> None:
    looked_for = Wanted("dean marsh", frozenset({"here"}))

    assert "/?only=here&q=dean+marsh&page=2" == looked_for.url(2)
    assert "/?q=dean+marsh" == looked_for.turned("here").url()
    assert Wanted() == wanted("   ", ["everybody"], "-1")
    assert 1 == wanted("", [], "0").page == wanted("", [], "٣").page


def test_list_has_another_name_once_anybody_in_it_is_another() -> None:
    (scheme,) = INDEX.schemes
    changed = replace(scheme, people=(replace(scheme.people[0], since=99), *scheme.people[1:]))

    assert INDEX.name != Index(Snapshot("Corner Shop", (changed,))).name


def test_reference_is_said_as_the_scheme_writes_it() -> None:
    assert "HART-0007" == INDEX.schemes[0].reference(7)
    assert "PUB-WATCH-0007" == SchemeGallery(2, "Pub Watch").reference(7)


def test_ten_thousand_are_folded_once_and_then_searched() -> None:
    letters = random.Random(7)
    index = index_of(
        *((case, "".join(letters.choices("abcdefghij", k=20)), "theft", False, 9) for case in range(1, ENTRIES_MAX + 1))
    )
    index.found(Wanted("x"), NOW_S)
    folded = index._texts

    assert [9999] == [one.case for one in index.found(Wanted("hart-9999"), NOW_S)]
    assert index._texts is folded
