"""N11: what boot ids tell of a unit's card."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core.boots import Boots, is_duplicate, restarts
from tests.support.central_town import START


def heard(boot_ids: str) -> Boots:
    """One each minute, the last of them now."""
    return [(boot_id, START - timedelta(minutes=age)) for age, boot_id in enumerate(reversed(boot_ids))][::-1]


@pytest.mark.parametrize(
    ("boot_ids", "is_it"),
    [("abab", True), ("abba", True), ("aba", False), ("abac", False), ("abcd", False), ("abcde", False)],
)
def test_card_is_there_twice_when_two_runs_came_back(boot_ids: str, is_it: bool) -> None:  # noqa: FBT001
    """A message that was late makes one seem to; a unit that crashes starts anew each time."""
    assert is_it == is_duplicate(heard(boot_ids), START)


def test_runs_of_long_ago_tell_nothing_of_a_second_card() -> None:
    assert not is_duplicate(heard("abab"), START + timedelta(minutes=8))


def test_restarts_are_counted_within_their_time() -> None:
    assert (3, 1, 0) == tuple(restarts(heard("abcd"), START, timedelta(minutes=minutes)) for minutes in (10, 2, 1))
