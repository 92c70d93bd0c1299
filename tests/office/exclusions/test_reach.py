from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import msgspec
import pytest

from office.exclusions.rules.life import IN_FORCE, State
from office.exclusions.rules.period import Period
from office.exclusions.rules.reach import (
    MinorsPolicy,
    Shown,
    concerned,
    covered,
    is_excluded,
    is_shown,
    is_stale,
    premises_digest,
    why_not_scope,
)

TODAY = date(2026, 11, 27)
POLICY = MinorsPolicy()
ADULT = Shown("served", Period(TODAY, TODAY), is_restricted=False, is_minor=False)


@pytest.mark.parametrize("state", get_args(State))
def test_only_what_is_issued_is_shown(state: State) -> None:
    case = msgspec.structs.replace(ADULT, state=state)

    assert is_shown(case, POLICY, TODAY) == is_excluded(case, TODAY) == (state in IN_FORCE)


def test_shown_from_the_first_day_to_the_last() -> None:
    day = timedelta(days=1)

    assert [is_shown(ADULT, POLICY, TODAY + n * day) for n in (-1, 0, 1)] == [False, True, False]
    assert not is_excluded(msgspec.structs.replace(ADULT, period=None), TODAY)


def test_restricted_case_is_hidden_and_still_in_force() -> None:
    case = msgspec.structs.replace(ADULT, is_restricted=True)

    assert is_excluded(case, TODAY)
    assert not is_shown(case, POLICY, TODAY)


def test_under_18_is_shown_only_if_dpia_and_second_approver_allow_it() -> None:
    minor, allowed = msgspec.structs.replace(ADULT, is_minor=True), MinorsPolicy(dpia_allows=True)
    approved = msgspec.structs.replace(minor, minor_shown_by=5)

    assert [is_shown(minor, POLICY, TODAY), is_shown(minor, allowed, TODAY)] == [False, False]
    assert [is_shown(approved, POLICY, TODAY), is_shown(approved, allowed, TODAY)] == [False, True]


def numbers(*given: int) -> frozenset[int]:
    return frozenset(given)


def test_all_premises_include_later_joiners_and_a_list_does_not() -> None:
    assert covered("all", numbers(1), numbers(1, 2)) == numbers(1, 2)
    assert covered("listed", numbers(1), numbers(1, 2)) == numbers(1)
    assert covered("listed", numbers(1, 3), numbers(1, 2)) == numbers(1)


def test_scope_needs_premises_of_the_scheme_and_a_reason() -> None:
    assert why_not_scope("all", numbers(), numbers(1), "he goes from shop to shop") is None
    assert why_not_scope("listed", numbers(1), numbers(1, 2), "only there") is None
    assert why_not_scope("listed", numbers(), numbers(1), "only there") is not None
    assert why_not_scope("all", numbers(), numbers(), "all") is not None
    assert why_not_scope("listed", numbers(1, 9), numbers(1), "only there") == "Choose only premises of this scheme."
    assert why_not_scope("all", numbers(), numbers(1), " ") is not None
    many = frozenset(range(1, 502))
    assert why_not_scope("listed", many, many, "only there") == "Choose 500 premises at most, or all of the scheme."
    assert why_not_scope("all", frozenset(), many, "all of it") is None


def test_notice_is_stale_while_in_force_when_it_names_other_premises_or_no_longer_holds() -> None:
    both = premises_digest(numbers(1, 2))

    assert not is_stale("served", both, numbers(2, 1))
    assert is_stale("served", both, numbers(1))
    assert is_stale("issued", both, numbers(1, 2, 3))
    assert is_stale("served", both, numbers(12))
    assert is_stale("served", "", numbers(1, 2))
    assert not is_stale("expired", both, numbers(1))


@pytest.mark.parametrize(
    ("own", "happened_at", "here"),
    [
        ({}, "High Street", frozenset()),
        ({3: "Corner Shop"}, "High Street", {3}),
        ({3: "Corner Shop", 4: "The Anchor"}, "High Street", {3, 4}),
        ({3: "Corner Shop", 4: "The Anchor"}, "at THE ANCHOR, back door", {4}),
        ({3: "Corner Shop", 9: "The Anchor"}, "the anchor", frozenset()),
        ({3: ""}, "High Street", {3}),
    ],
)
def test_exclusion_concerns_the_premises_of_who_nominated(
    own: dict[int, str], happened_at: str, here: frozenset[int]
) -> None:
    """Of those that are in the scheme; and if the place names some of them, only these."""
    assert concerned("all", frozenset({3, 4, 5}), own, happened_at) == here


def test_exclusion_for_some_premises_concerns_all_of_them() -> None:
    assert concerned("listed", frozenset({4, 5}), {3: "Corner Shop"}, "Corner Shop") == {4, 5}
