"""What follows a breach, and what the shop is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from office.breaches import rules
from office.breaches.rules import ACTIONS, Action, State, is_told, may_see_identity, next_state, told, why_not_add
from office.exclusions.rules.reach import MinorsPolicy, Shown
from wire.gallery_reports import OUTCOME_CHARS_MAX

NOW = datetime(2027, 1, 5, 12, tzinfo=UTC)
SHOWN = Shown(state="served", period=None, is_restricted=False, is_minor=False)


@pytest.mark.parametrize(
    ("state", "action", "reference", "has_case", "may"),
    [
        ("received", "warned", "", False, True),
        ("in-hand", "no-action", "", False, True),
        ("received", "police-informed", " ", False, False),
        ("received", "police-informed", "26*123456", False, True),
        ("received", "extended", "", False, False),
        ("received", "extended", "", True, True),
        ("closed", "warned", "", False, False),
        ("received", "arrested", "", False, False),
    ],
)
def test_action_is_added_to_what_is_open_with_what_it_needs(
    *, state: State, action: str, reference: str, has_case: bool, may: bool
) -> None:
    assert may is (why_not_add(state, action, reference, has_case=has_case) is None)


def test_action_begins_or_closes_it() -> None:
    assert ("in-hand", "closed") == (next_state(closes=False), next_state(closes=True))


def test_shop_is_told_in_words_that_fit_what_was_done_and_nothing_twice() -> None:
    every: list[Action] = [*ACTIONS, *ACTIONS]
    words = told("closed", every, NOW).words

    assert "The police were informed." == told("closed", ["police-informed"], NOW).words
    assert len(words) <= OUTCOME_CHARS_MAX
    assert 1 == words.count("warned")
    assert {"received", "in-hand", "closed"} == {told(state, (), NOW).state for state in rules.STATE_TITLES}
    assert all(told(state, (), NOW).words for state in rules.STATE_TITLES)


def test_shop_is_told_for_a_month_after_it_is_closed_and_for_a_year_while_it_is_not() -> None:
    day = timedelta(days=1)

    assert [True, False] == [is_told(NOW, NOW, NOW + days * day) for days in (29, 30)]
    assert [True, False] == [is_told(NOW, None, NOW + days * day) for days in (364, 365)]


def test_police_see_nobody_whose_accuracy_is_contested_and_no_minor_unless_allowed_twice() -> None:
    minor = replace(SHOWN, is_minor=True)
    approved = replace(minor, minor_shown_by=7)
    cases = (SHOWN, replace(SHOWN, is_restricted=True), minor, approved)

    assert [True, False, False, False] == [
        may_see_identity(one, MinorsPolicy(), is_co_ordinator=False) for one in cases
    ]
    assert may_see_identity(approved, MinorsPolicy(dpia_allows=True), is_co_ordinator=False)
    assert all(may_see_identity(one, MinorsPolicy(), is_co_ordinator=True) for one in cases)
