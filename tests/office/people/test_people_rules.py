from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.people import rules
from office.people.rules import Kept, KeptPerson, RequestKind, Schedule, schedule

OVER = date(2027, 1, 31)
REJECTED = Kept(1, was_accepted=False, over_on=OVER)
ENDED = Kept(2, was_accepted=True, over_on=OVER)
STANDS = Kept(3, was_accepted=True, over_on=None)


def person(*cases: Kept, has_open_request: bool = False) -> KeptPerson:
    return KeptPerson(date(2026, 1, 1), cases, has_photographs=True, has_open_request=has_open_request)


@pytest.mark.parametrize(
    ("kind", "received", "due"),
    [
        ("access", date(2027, 1, 31), date(2027, 2, 28)),
        ("erasure", date(2027, 3, 15), date(2027, 4, 15)),
        ("complaint", date(2027, 1, 31), date(2027, 3, 2)),
    ],
)
def test_request_is_due_in_a_month_and_a_complaint_acknowledged_in_thirty_days(
    kind: RequestKind, received: date, due: date
) -> None:
    assert rules.due_on(kind, received) == due


def test_request_is_late_from_the_day_after() -> None:
    def late(kind: RequestKind, day: date, *, acknowledged: bool = False, done: bool = False) -> bool:
        return rules.is_late(kind, OVER, day, is_acknowledged=acknowledged, is_done=done)

    tomorrow = OVER + timedelta(days=1)
    assert [late("access", OVER), late("access", tomorrow)] == [False, True]
    assert late("access", tomorrow, acknowledged=True)
    assert late("complaint", tomorrow)
    assert not late("complaint", tomorrow, acknowledged=True)
    assert not late("access", tomorrow, done=True)


def test_rejected_nomination_goes_after_28_days_with_the_person() -> None:
    goes = date(2027, 2, 28)

    assert schedule(person(REJECTED)) == Schedule(goes, {1: goes}, goes)


def test_photograph_goes_28_days_after_an_exclusion_and_the_rest_after_a_year() -> None:
    """The tariff's second column needs the rest."""
    year = date(2028, 1, 31)

    assert schedule(person(ENDED)) == Schedule(date(2027, 2, 28), {2: year}, year)


def test_case_that_stands_keeps_the_person_and_the_photographs_but_no_other_case() -> None:
    assert schedule(person(REJECTED, STANDS)) == Schedule(None, {1: date(2027, 2, 28)}, None)


def test_later_end_counts_for_the_person() -> None:
    erased = Kept(1, was_accepted=False, over_on=date(2027, 5, 1), is_erased=True)

    assert schedule(person(ENDED, erased)).person == date(2028, 1, 31)
    assert schedule(person(ENDED, erased)).photographs == date(2027, 5, 29)


def test_nothing_goes_while_a_request_waits() -> None:
    assert schedule(person(REJECTED, ENDED, has_open_request=True)) == Schedule(None, {}, None)


def test_person_without_a_case_goes_after_28_days() -> None:
    assert schedule(person()).person == date(2026, 1, 29)


def test_clock_is_trusted_near_what_people_did_last() -> None:
    newest = date(2027, 1, 10)
    trusted = [rules.may_trust_clock(newest + timedelta(days=days), newest) for days in (-1, 0, 7, 8)]

    assert trusted == [False, True, True, False]
    assert not rules.may_trust_clock(newest, None)


@pytest.mark.parametrize(
    ("way", "compared_by", "proof", "is_refused"),
    [
        ("reference", "", "passport seen", False),
        ("reference", "", " ", True),
        ("photograph", "", "passport seen", True),
        ("photograph", "Cora, the person beside the picture", "came in person", False),
    ],
)
def test_who_asks_must_be_established(way: rules.Way, compared_by: str, proof: str, *, is_refused: bool) -> None:
    assert (rules.why_not_identify(way, compared_by=compared_by, proof=proof) is not None) == is_refused


def test_erasure_of_what_stands_needs_a_reason() -> None:
    assert rules.why_not_erase(has_standing_case=True, reason=" ")
    assert rules.why_not_erase(has_standing_case=True, reason="It was somebody else.") is None
    assert rules.why_not_erase(has_standing_case=False, reason="") is None


OTHERS = (
    *(("Jo Bloggs", "another person"), ("Otto Groß", "another person"), ("Jo", "x")),
    *(("Cora", "Co-ordinator"), ("Anna Reed", "another person")),
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("He and JO BLOGGS ran", "He and another person ran"),
        ("Told Cora.", "Told Co-ordinator."),
        ("Decoration", "Decoration"),
        ("(jo bloggs)’s coat", "(another person)’s coat"),
        ("Jo ran", "Jo ran"),
        ("Anna Reed and Reed", "Anna Reed and Reed"),
        ("Er und Otto Groß, beide", "Er und another person, beide"),
        ("", ""),
    ],
)
def test_other_people_are_left_out_and_the_person_is_not(text: str, told: str) -> None:
    assert rules.without_others(text, rules.by_first_word(OTHERS), ["Anna Reed"]) == told


@given(st.text(), st.lists(st.tuples(st.text(min_size=3), st.just("–"))))
def test_any_text_and_names_can_be_told(text: str, others: list[tuple[str, str]]) -> None:
    rules.without_others(text, rules.by_first_word(others), [])
