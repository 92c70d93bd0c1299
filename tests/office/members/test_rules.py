from __future__ import annotations

import pytest

from office.members.rules import (
    Difference,
    SchemesRefusedError,
    differences,
    may_see,
    schemes_after,
    schemes_when_removed,
    visible_schemes,
)


def numbers(*given: int) -> frozenset[int]:
    return frozenset(given)


def test_a_premises_exists_only_for_its_schemes() -> None:
    assert may_see(numbers(1, 2), numbers(1))
    assert not may_see(numbers(2), numbers(1))
    assert not may_see(numbers(), numbers(1))
    assert visible_schemes(numbers(1, 2), numbers(1, 3)) == numbers(1)


def test_schemes_of_others_stay_unseen_and_untouched() -> None:
    assert schemes_after(numbers(2), numbers(1), numbers(1)) == numbers(1, 2)
    assert schemes_after(numbers(1, 2), numbers(3), numbers(1, 3)) == numbers(2, 3)
    assert schemes_when_removed(numbers(1, 2), numbers(1), numbers(1)) == numbers(2)


@pytest.mark.parametrize(
    ("now", "chosen"), [(numbers(1), numbers(1, 2)), (numbers(1), numbers()), (numbers(5, 6, 7, 8), numbers(1))]
)
def test_schemes_after_refuses(now: frozenset[int], chosen: frozenset[int]) -> None:
    with pytest.raises(SchemesRefusedError):
        schemes_after(now, chosen, numbers(1))


def test_only_own_schemes_are_left() -> None:
    with pytest.raises(SchemesRefusedError):
        schemes_when_removed(numbers(1, 2), numbers(2), numbers(1))


def test_a_field_that_one_side_changed_is_suggested_and_one_that_both_did_is_not() -> None:
    base = {"name": "A", "place": "B", "address": "C", "note": "D"}
    saved = {"name": "A", "place": "B2", "address": "C2", "note": "D2"}
    mine = {"name": "A3", "place": "B", "address": "C3", "note": "D2"}

    assert differences(base, saved, mine) == (
        Difference("name", "A", "A3", "mine"),
        Difference("place", "B2", "B", "saved"),
        Difference("address", "C2", "C3", None),
    )
    assert [one.suggestion for one in differences(None, saved, mine)] == [None, None, None]
