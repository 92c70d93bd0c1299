"""What follows a breach, and what the shop is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import get_args

import pytest
from msgspec.structs import replace

from office.breaches import rules
from office.breaches.rules import (
    ACTIONS,
    Action,
    State,
    is_over,
    is_told,
    may_see_identity,
    next_state,
    told,
    why_not_add,
)
from office.exclusions.rules import life
from office.exclusions.rules.period import Period
from office.exclusions.rules.reach import MinorsPolicy, Shown
from wire.gallery_reports import OUTCOME_CHARS_MAX

NOW = datetime(2027, 1, 5, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 3, 1), date(2027, 2, 28)
SHOWN = Shown(state="served", period=Period(FIRST, LAST), is_restricted=False, is_minor=False)


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


to_police = partial(may_see_identity, is_co_ordinator=False, is_register_on=True)
to_co_ordinator = partial(may_see_identity, is_co_ordinator=True, is_register_on=False)


def test_police_see_nobody_whose_accuracy_is_contested_and_no_minor_unless_allowed_twice() -> None:
    minor = replace(SHOWN, is_minor=True)
    approved = replace(minor, minor_shown_by=7)
    cases = (SHOWN, replace(SHOWN, is_restricted=True), minor, approved)

    assert [True, False, False, False] == [to_police(one, MinorsPolicy()) for one in cases]
    assert to_police(approved, MinorsPolicy(dpia_allows=True))
    assert all(to_co_ordinator(one, MinorsPolicy()) for one in cases)


def test_police_see_nobody_who_was_not_excluded_and_nobody_while_the_register_is_off() -> None:
    cases = [replace(SHOWN, state=state) for state in get_args(life.State)]

    assert {"issued", "served", "expired"} == {one.state for one in cases if to_police(one, MinorsPolicy())}
    assert not to_police(replace(SHOWN, period=None), MinorsPolicy())
    assert not to_police(SHOWN, MinorsPolicy(), is_register_on=False)
    assert all(to_co_ordinator(one, MinorsPolicy()) for one in cases)


@pytest.mark.parametrize(
    ("state", "last_on", "today", "is_it"),
    [
        ("served", LAST, LAST, False),
        ("served", FIRST, LAST, True),
        ("expired", LAST, FIRST, True),
        ("revoked", LAST, FIRST, True),
        ("nominated", None, FIRST, False),
    ],
)
def test_exclusion_is_over_after_its_last_day_or_when_it_was_ended(
    *, state: life.State, last_on: date | None, today: date, is_it: bool
) -> None:
    assert is_it is is_over(state, last_on, today)
