from __future__ import annotations

import pytest

from office.exclusions.rules.wording import names_in, references_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Smith took a bottle.", ["Smith"]),
        ("He was called \u201csmith\u201d by staff.", ["Smith"]),
        ("John, SMITH and others", ["John", "Smith"]),
        ("A blacksmith and Johnson left.", []),
        ("Jose took it", []),
    ],
)
def test_names_in_a_text_are_whole_words(text: str, found: list[str]) -> None:
    assert names_in(text, ["John Smith", ""]) == found


def test_names_in_a_text_are_found_without_accents() -> None:
    assert names_in("Jose Nunez took it.", ["José Núñez"]) == ["José", "Núñez"]


def test_initials_are_not_names() -> None:
    assert names_in("A man took J cloths in an ox cart.", ["J Ox", "A"]) == []


def test_short_word_of_a_name_is_found_as_it_is_spelled() -> None:
    """Whole names are as short as that."""
    assert names_in("Bo and a woman took it. Ng ran.", ["Bo Ng"]) == ["Bo", "Ng"]
    assert names_in("The bo tree, and so on.", ["Bo So"]) == []


def test_reference_is_found_however_it_is_written() -> None:
    assert references_in("It is hart-0042 again.", ["HART-0042", "HART-0043", ""]) == ["HART-0042"]
