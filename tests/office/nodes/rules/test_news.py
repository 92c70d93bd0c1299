"""What is new for a node."""

from __future__ import annotations

import pytest

from office.gallery.holders import Gone, Holders
from office.nodes.rules.news import change_from, must_destroy
from wire.gallery_contact import Held

HOLDERS = Holders(scheme=1, number=8, changes_from=5, gone=(Gone(1, 6), Gone(2, 8)))


@pytest.mark.parametrize(
    ("number", "expected"),
    [(None, 0), (0, 0), (4, 0), (5, 5), (7, 7), (8, None), (9, None)],
    ids=["nothing", "lost", "before what is known", "at its floor", "one behind", "the newest", "ahead"],
)
def test_change_starts_where_the_node_is_if_all_that_went_since_is_known(
    number: int | None, expected: int | None
) -> None:
    held = None if number is None else Held(scheme=1, number=number)
    assert expected == change_from(held, HOLDERS, are_rows_good=True, was_sent_lately=False)


def test_whole_is_sent_again_if_the_rows_are_for_somebody_else_but_not_at_once() -> None:
    held = Held(scheme=1, number=8)

    assert 0 == change_from(held, HOLDERS, are_rows_good=False, was_sent_lately=False)
    assert None is change_from(held, HOLDERS, are_rows_good=False, was_sent_lately=True)
    assert None is change_from(None, HOLDERS, are_rows_good=True, was_sent_lately=True)
    assert None is change_from(Held(scheme=1, number=4), HOLDERS, are_rows_good=True, was_sent_lately=True)
    assert 7 == change_from(Held(scheme=1, number=7), HOLDERS, are_rows_good=True, was_sent_lately=True)


def test_gallery_of_a_scheme_that_is_the_nodes_no_more_is_destroyed_at_once() -> None:
    assert must_destroy([Held(scheme=2, number=1)], frozenset({1}))
    assert not must_destroy([Held(scheme=1, number=1)], frozenset({1}))
