"""Budgets: a burst, then one each while, for each key; a clock that is set breaks nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from central.core.budget import KEYS_MAX, Budget

START = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)


def test_budget_gives_its_burst_and_then_one_each_while() -> None:
    budget: Budget[str] = Budget(3, timedelta(seconds=10))

    assert [True, True, True, False] == [budget.take("a", START) for _ in range(4)]
    assert [False, True, False] == [budget.take("a", START + timedelta(seconds=s)) for s in (9, 10, 11)]
    assert [True] * 3 + [False] == [budget.take("a", START + timedelta(hours=1)) for _ in range(4)]


def test_budget_of_one_key_is_not_anothers() -> None:
    budget: Budget[str] = Budget(1, timedelta(seconds=10))

    assert [True, True, False] == [budget.take(key, START) for key in "aba"]


def test_budget_under_a_clock_that_is_set_back_goes_on_from_there() -> None:
    budget: Budget[str] = Budget(1, timedelta(seconds=10))
    budget.take("a", START)
    back = START - timedelta(days=400)

    assert [False, True] == [budget.take("a", back), budget.take("a", back + timedelta(seconds=10))]


def test_budget_forgets_whoever_was_longest_away() -> None:
    budget: Budget[int] = Budget(1, timedelta(hours=1))
    for key in range(KEYS_MAX):
        budget.take(key, START)
    budget.take(0, START)
    budget.take(KEYS_MAX, START)

    assert [False, True] == [budget.take(0, START), budget.take(1, START)]
