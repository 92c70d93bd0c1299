from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.members.facts import (
    CHARS_MAX,
    CONTACT_CHARS_MAX,
    CONTACTS_MAX,
    SCHEMES_MAX,
    ContactFacts,
    PremisesFacts,
    TextRefusedError,
    clean_line,
    clean_lines,
    contact_texts,
    degrees_text,
    entry_bytes,
    entry_of,
    folded,
    read_premises,
    texts_of,
)
from wire.snapshots import ContactEntry, PremisesEntry


def bound(kind: type[msgspec.Struct], field: str) -> object:
    schema = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"][field]
    return schema.get("maxLength", schema.get("maxItems"))


def test_bounds_are_those_of_the_snapshot() -> None:
    assert {field: bound(PremisesEntry, field) for field in CHARS_MAX} == dict(CHARS_MAX)
    assert {field: bound(ContactEntry, field) for field in CONTACT_CHARS_MAX} == dict(CONTACT_CHARS_MAX)
    assert bound(PremisesEntry, "contacts") == CONTACTS_MAX
    assert bound(PremisesEntry, "schemes") == SCHEMES_MAX


texts = st.text(max_size=80) | st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=700)
degrees = st.floats(-200, 200).map(str) | st.sampled_from(["", "52.2405", "nan", "1e1", "−0.9", "52,5"]) | texts


@given(
    st.fixed_dictionaries(dict.fromkeys(CHARS_MAX, texts) | {"latitude": degrees, "longitude": degrees}),
    st.lists(
        st.fixed_dictionaries({"name": texts, "phone": texts, "is_key_holder": st.just("yes"), "note": texts}),
        max_size=3,
    ),
)
def test_read_premises_accepts_only_what_a_snapshot_holds(
    typed: dict[str, str], contacts: list[dict[str, str]]
) -> None:
    facts, problems = read_premises(typed, contacts)
    assert (facts is None) == bool(problems)
    if facts is None:
        return
    entry = entry_of(1, facts, {2, 1})

    assert msgspec.json.decode(msgspec.json.encode(entry), type=PremisesEntry) == entry
    assert read_premises(texts_of(facts), [contact_texts(one) for one in facts.contacts]) == (facts, ())


@given(st.text(max_size=100))
def test_clean_line_is_idempotent(text: str) -> None:
    try:
        once = clean_line(text, 64)
    except TextRefusedError:
        return
    assert clean_line(once, 64) == once


@pytest.mark.parametrize("bad", ["a\u202eb", "a\x07b", "a\u200bb", "a\nb", "a\u2028b", "x" * 65, "x" * 300, "\ud800"])
def test_clean_line_refuses_what_no_screen_shows(bad: str) -> None:
    with pytest.raises(TextRefusedError):
        clean_line(bad, 64)


def test_clean_line_takes_a_word_processors_spaces() -> None:
    assert clean_line("\tCorner\u00a0 Shop ", 64) == "Corner Shop"


def test_clean_lines_keeps_lines_and_drops_empty_ends() -> None:
    assert clean_lines("\r\n1 High St\r\n\r\nTown \r\n", 500) == "1 High St\n\nTown"


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("52.2405", "-0.9027", (52.2405, -0.9027)),
        ("52,2405", "−0,9027", (52.2405, -0.9027)),
        ("52.2405, -0.9027", "", (52.2405, -0.9027)),
        ("", "", (None, None)),
        ("-0", "0", (0.0, 0.0)),
    ],
)
def test_position_is_read_as_people_write_it(
    latitude: str, longitude: str, expected: tuple[float | None, float | None]
) -> None:
    facts, _ = read_premises({"name": "A", "latitude": latitude, "longitude": longitude}, ())

    assert facts is not None
    assert (facts.latitude, facts.longitude) == expected


@pytest.mark.parametrize(
    ("latitude", "longitude", "field"),
    [("52", "", "longitude"), ("", "1", "latitude"), ("91", "1", "latitude"), ("1", "181", "longitude"),
     ("nan", "1", "latitude"), ("1e1", "1", "latitude"), ("1_0", "1", "latitude"), ("٥", "1", "latitude")],
)  # fmt: skip
def test_position_problem_stands_at_its_field(latitude: str, longitude: str, field: str) -> None:
    facts, problems = read_premises({"name": "A", "latitude": latitude, "longitude": longitude}, ())

    assert facts is None
    assert [problem.field for problem in problems] == [field]


def test_every_problem_is_told_at_once() -> None:
    contacts = [{"phone": "01604"}, {"name": "Jo", "is_key_holder": "perhaps"}, {"name": "Al", "phone": "-"}]
    _, problems = read_premises({"name": "", "address": "x" * 501}, contacts)

    assert [problem.field for problem in problems] == [
        "address", "name", "contacts-0-name", "contacts-1-is_key_holder", "contacts-2-phone",
    ]  # fmt: skip


def test_empty_contacts_are_skipped_and_too_many_are_refused() -> None:
    assert read_premises({"name": "A"}, [{}, {"is_key_holder": "no"}])[0] == read_premises({"name": "A"}, ())[0]
    _, problems = read_premises({"name": "A"}, [{"name": "Jo"}] * 17)

    assert [problem.field for problem in problems] == ["contacts"]


def test_degrees_are_written_plainly() -> None:
    assert [degrees_text(one) for one in (None, 0.0, -0.0, 52.0, 1e-06, -0.9027)] == [
        "", "0", "0", "52", "0.000001", "-0.9027",
    ]  # fmt: skip


def test_folded_ignores_capitals_and_accents() -> None:
    assert folded(" CAFÉ  Straße ") == "cafe strasse"


def test_no_entry_is_larger_than_was_counted() -> None:
    contact = ContactFacts(name="é" * 64, phone="1" * 32, is_key_holder=True, note='"\\\n' * 160)
    facts = PremisesFacts(
        name="\U0001f468" * 64,
        when_going="é" * 2_000,
        latitude=-89.123456,
        longitude=-179.654321,
        contacts=(contact,) * 16,
    )
    entries = [entry_of(2**53, facts, (65_532, 65_533, 65_534, 65_535))] * 10

    assert len(msgspec.json.encode(entries)) <= 10 * entry_bytes(facts) + len("[]")
