from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.members.csv_cells import read_table, write_table
from office.members.facts import ContactFacts, PremisesFacts, contact_texts, read_premises
from office.members.import_rules import (
    Existing,
    ImportPlan,
    Known,
    OwnScheme,
    cells_of,
    headings,
    plan_import,
)
from office.members.rules import PREMISES_BYTES_MAX, PREMISES_MAX

HART = OwnScheme(1, "hart", "HART")
PUB_WATCH = OwnScheme(2, "pub-watch", "Pub Watch")
CORNER = Existing(
    17,
    3,
    "Corner Shops Ltd",
    frozenset({1}),
    elsewhere=frozenset(),
    facts=PremisesFacts(
        name="Corner Shop",
        place="High Street",
        latitude=52.24,
        longitude=-0.9,
        contacts=(ContactFacts(name="J Patel", phone="+44 1604", is_key_holder=True, note="after six"),),
    ),
)


def known(
    *premises: Existing, schemes: Sequence[OwnScheme] = (HART,), members: Sequence[str] = (), bytes_in_town: int = 0
) -> Known:
    names = tuple(members) or tuple(sorted({one.member for one in premises}))
    return Known(
        schemes=tuple(schemes),
        premises={one.number: one for one in premises},
        members=names,
        premises_in_town=len(premises),
        bytes_in_town=bytes_in_town,
    )


def plan(text: str, of: Known) -> ImportPlan:
    return plan_import(read_table(text.encode()), of)


def told(made: ImportPlan) -> list[tuple[int, str]]:
    return [(problem.line, problem.column) for problem in made.problems]


lines = st.text(st.characters(categories=["L", "N", "P", "Sm", "Zs"], exclude_characters="\u1680\u3000"), max_size=64)
longer = st.lists(lines, max_size=4).map("\n".join)


@given(
    st.fixed_dictionaries(
        {"name": lines, "place": lines, "address": longer, "opening_hours": longer, "when_going": longer}
        | {"latitude": st.floats(-90, 90).map("{:.6f}".format), "longitude": st.floats(-180, 180).map("{:.6f}".format)}
    ),
    st.lists(st.fixed_dictionaries({"name": lines, "note": lines, "is_key_holder": st.sampled_from(["", "yes"])})),
)
def test_export_imported_again_changes_nothing(typed: dict[str, str], contacts: list[dict[str, str]]) -> None:
    facts, _ = read_premises(typed, contacts[:16])
    if facts is None:
        return
    one = Existing(5, 2, "=Member", frozenset({1, 2}), elsewhere=frozenset(), facts=facts)
    count = max(1, len(facts.contacts))
    data = write_table(headings(count), [cells_of(one, (HART, PUB_WATCH), count)])

    made = plan_import(read_table(data), known(one, schemes=(HART, PUB_WATCH)))

    assert made.problems == ()
    assert [row.changes for row in made.rows] == [()]
    assert [row.facts for row in made.rows] == [facts]


def test_new_rows_name_their_new_members_once() -> None:
    made = plan("Name;Member;Address\nA;Shops Ltd;1 High St\nB;shops ltd;\n", known())

    assert made.problems == ()
    assert made.new_members == ("Shops Ltd",)
    assert [(row.number, row.member, row.schemes) for row in made.new] == [(None, "Shops Ltd", frozenset({1}))] * 2
    assert made.new[0].facts == PremisesFacts(name="A", address="1 High St")


def test_what_has_no_column_stays_and_an_empty_cell_empties() -> None:
    made = plan("number,LATITUDE,longitude\n17,,\n", known(CORNER))

    (row,) = made.changed
    assert [(change.label, change.after) for change in row.changes] == [("Latitude", ""), ("Longitude", "")]
    assert row.facts.contacts == CORNER.facts.contacts


def test_contacts_are_replaced_as_a_whole() -> None:
    made = plan("Number,Contact 1 name,Contact 2 name,Contact 2 key-holder\n17,A,B,YES\n", known(CORNER))

    assert [contact_texts(one) for one in made.changed[0].facts.contacts] == [
        {"name": "A", "phone": "", "is_key_holder": "", "note": ""},
        {"name": "B", "phone": "", "is_key_holder": "yes", "note": ""},
    ]


def test_every_bad_row_is_told_with_line_and_column() -> None:
    text = (
        "Number,Version,Member,Name,Schemes,Latitude,Longitude,Contact 1 name,Contact 1 phone\n"
        "99,,M,A,hart,,,,\n"  # 2: no such number
        "17,2,,,,,,,\n"  # 3: an old version
        ",,,B,hart,,,,\n"  # 4: no member
        ",,M,,hart,,,,\n"  # 5: no name
        ",,M,C,pub-watch,,,,\n"  # 6: not theirs
        ",,M,D,hart,95,1,,\n"  # 7: off the globe
        ",,M,E,hart,1\n"  # 8: cells are missing
        ",,M,F,hart,,,,01604\n"  # 9: a phone without a name
        ",,M,G,hart,,,,\n"  # 10: good
        ",,m,g,hart,,,,\n"  # 11: the same again
        ",,Corner Shops Ltd,Corner Shop,hart,,,,\n"  # 12: good, in another street
    )
    made = plan(text, known(CORNER))

    assert told(made) == [
        (2, "Number"),
        (3, "Version"),
        (4, "Member"),
        (5, "Name"),
        (6, "Schemes"),
        (7, "Latitude"),
        (8, ""),
        (9, "Contact 1 name"),
        (11, "Name"),
    ]
    assert [row.line for row in made.rows] == [10, 12]


def test_the_same_file_twice_is_refused() -> None:
    made = plan("Member,Name,Street or area\nCorner Shops Ltd,Corner Shop,HIGH street\n", known(CORNER))

    assert told(made) == [(2, "Name")]
    assert "enter 17 as Number" in made.problems[0].sentence


def test_a_number_twice_is_refused() -> None:
    assert told(plan("Number,Name\n17,A\n17,B\n", known(CORNER))) == [(3, "Number")]


def test_anothers_scheme_and_no_scheme_read_alike() -> None:
    sentences = [
        plan(f"Name,Member,Schemes\nA,M,{word}\n", known()).problems[0].sentence.replace(word, "…")
        for word in ("pub-watch", "nothing")
    ]

    assert sentences[0] == sentences[1]


def test_schemes_are_named_by_slug_or_name_and_needed_of_two() -> None:
    of = known(schemes=(HART, PUB_WATCH))

    assert plan("Name,Member,Schemes\nA,M,PUB WATCH|hart\n", of).new[0].schemes == frozenset({1, 2})
    assert told(plan("Name,Member\nA,M\n", of)) == [(2, "Schemes")]


def test_too_many_schemes_are_refused_before_anything_is_offered() -> None:
    five = tuple(OwnScheme(number, f"s{number}", f"Scheme {number}") for number in range(1, 6))
    shared = Existing(17, 3, CORNER.member, frozenset({1}), elsewhere=frozenset({6}), facts=CORNER.facts)

    assert told(plan("Name,Member,Schemes\nA,M,s1/s2/s3/s4\nB,M,s1/s2/s3/s4/s5\n", known(schemes=five))) == [
        (3, "Schemes")
    ]
    assert told(plan("Number,Schemes\n17,s1/s2/s3/s4\n", known(shared, schemes=five))) == [(2, "Schemes")]
    assert told(plan("Number,Schemes\n17,s1/s2/s3\n", known(shared, schemes=five))) == []


def test_two_members_of_one_name_are_refused() -> None:
    assert told(plan("Name,Member\nA,M\n", known(members=("M", "m")))) == [(2, "Member")]


def test_only_who_co_ordinates_all_schemes_moves_a_premises() -> None:
    shared = Existing(17, 3, CORNER.member, CORNER.schemes, elsewhere=frozenset({2}), facts=CORNER.facts)
    text = "Number,Member\n17,Others Ltd\n"

    assert told(plan(text, known(shared))) == [(2, "Member")]
    assert plan(text, known(CORNER)).changed[0].member == "Others Ltd"


@pytest.mark.parametrize("text", ["Nom,Member\nA,M\n", "Name,name\nA,B\n"])
def test_headings_that_cannot_be_used_stop_the_file(text: str) -> None:
    made = plan(text, known())

    assert made.rows == ()
    assert told(made) == [(1, "Name" if "Nom" in text else "name")]


def test_unknown_columns_and_windows_text_are_told() -> None:
    made = plan_import(read_table("Name,Member,Loyalty\nCafé,M,x\n".encode("cp1252")), known())

    assert [note for note in made.notes if "Loyalty" in note or "Windows-1252" in note] == list(made.notes)
    assert len(made.notes) == 2


def test_a_zero_dropped_by_a_spreadsheet_is_told() -> None:
    made = plan(
        "Name,Member,Contact 1 name,Contact 1 phone\nA,M,Jo,1604496000\nB,M,Jo,01604496000\nC,M,Jo,999\n", known()
    )

    assert len(made.rows) == 3
    assert [note.split(".")[1] for note in made.notes] == [" Check line 2"]


def test_a_town_too_large_is_refused() -> None:
    full = Known(schemes=(HART,), premises={}, members=(), premises_in_town=PREMISES_MAX, bytes_in_town=0)

    assert told(plan("Name,Member\nA,M\n", full)) == [(2, "")]


def test_texts_that_no_snapshot_could_hold_are_refused() -> None:
    file = f"Name,Member,When going there\nA,M,{'x' * 1_000}\nB,M,{'x' * 1_000}\n"

    assert told(plan(file, known(bytes_in_town=PREMISES_BYTES_MAX - 2_000))) == [(2, "")]
    assert told(plan(file, known(bytes_in_town=PREMISES_BYTES_MAX - 3_000))) == []


def test_a_full_office_takes_shorter_texts() -> None:
    shorter, longer = (f"Number,Street or area\n17,{place}\n" for place in ("High St", "High Street 17"))

    assert told(plan(shorter, known(CORNER, bytes_in_town=PREMISES_BYTES_MAX))) == []
    assert told(plan(longer, known(CORNER, bytes_in_town=PREMISES_BYTES_MAX))) == [(2, "")]
