"""A page that nobody touches, or that is not open any more, is locked from here."""

from __future__ import annotations

import pytest

from gallery.page.keeping import GRACE_S, IDLE_S, UNWATCHED_S, Keeping


@pytest.fixture
def keeping() -> Keeping:
    """Alice's page is open since 100 s."""
    kept = Keeping()
    kept.touched("alice", 100.0)
    kept.joined("alice", 100.0)
    return kept


def test_open_page_stays_for_a_minute_and_the_browsers_time_to_lock(keeping: Keeping) -> None:
    assert [] == keeping.overdue(["alice"], 100.0 + IDLE_S + GRACE_S)
    assert ["alice"] == keeping.overdue(["alice"], 100.1 + IDLE_S + GRACE_S)


def test_touch_begins_the_minute_anew_and_a_request_does_not(keeping: Keeping) -> None:
    keeping.seen("alice", 150.0)
    assert keeping.is_overdue("alice", 180.0)

    keeping.touched("alice", 170.0)
    assert not keeping.is_overdue("alice", 180.0)


def test_page_that_is_closed_is_locked_within_seconds(keeping: Keeping) -> None:
    keeping.left("alice", 110.0)

    assert not keeping.is_overdue("alice", 110.0 + UNWATCHED_S)
    assert keeping.is_overdue("alice", 110.1 + UNWATCHED_S)


def test_next_page_that_opens_in_time_goes_on(keeping: Keeping) -> None:
    keeping.left("alice", 110.0)
    keeping.seen("alice", 111.0)
    keeping.joined("alice", 112.0)

    assert not keeping.is_overdue("alice", 130.0)


def test_of_two_pages_one_may_close(keeping: Keeping) -> None:
    keeping.joined("alice", 101.0)
    keeping.left("alice", 102.0)

    assert not keeping.is_overdue("alice", 130.0)


def test_session_that_never_opens_a_page_is_locked() -> None:
    keeping = Keeping()
    assert [] == keeping.overdue(["bob"], 100.0)

    assert ["bob"] == keeping.overdue(["bob"], 100.1 + UNWATCHED_S)


def test_session_that_has_ended_is_forgotten(keeping: Keeping) -> None:
    keeping.overdue([], 110.0)

    assert not keeping.is_overdue("alice", 1_000.0)
