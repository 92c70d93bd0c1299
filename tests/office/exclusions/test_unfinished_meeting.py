"""A meeting's vote that nobody has closed decides nothing: hands may be missing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from office.audit.models import AuditRow
from office.exclusions import acts, voting
from office.exclusions.acts import MoveRefusedError
from office.exclusions.models import Ballot, Case
from tests.office.conftest import SignedIn
from tests.office.exclusions.conftest import Town


@pytest.fixture
def ballot(town: Town) -> Ballot:
    """All hands but one are written down; they would exclude the person."""
    ballot = town.ballot(town.case("voting"))
    for member in town.members[1:]:
        voting.write_down(town.cora, ballot, member.pk, "exclude")
    return ballot


def leave(ballot: Ballot) -> None:
    """The day of the meeting ends."""
    Ballot.objects.update(closes_at=timezone.now() - timedelta(seconds=1))
    assert voting.count_what_is_due(timezone.now()) == 1


def test_vote_left_open_decides_nothing_and_says_so(town: Town, ballot: Ballot) -> None:
    leave(ballot)
    case, left = Case.objects.get(), town.ballot(ballot.case)

    assert (case.state, case.decided_at) == ("checked", None)
    assert (left.outcome, left.ended_at, left.exclude) == ("leave-unfinished", left.closes_at, 0)
    assert left.votes.count() == 3
    assert AuditRow.objects.filter(action="case.leave-unfinished", actor_account=0).count() == 1
    assert voting.count_what_is_due(timezone.now()) == 0


def test_vote_is_taken_anew_without_the_hands_of_before(town: Town, ballot: Ballot) -> None:
    leave(ballot)
    acts.open_vote(town.turn(ballot.case), "meeting")
    again = town.ballot(ballot.case)
    voting.close_meeting_vote(town.cora, again)

    assert town.ballot(ballot.case).outcome == "find-no-quorum"


def test_vote_is_not_closed_after_its_day_by_a_clock_that_is_not_trusted(town: Town, ballot: Ballot) -> None:
    Ballot.objects.update(closes_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(MoveRefusedError, match="nothing was counted"):
        voting.close_meeting_vote(town.cora, town.ballot(ballot.case))


def test_co_ordinator_sees_what_was_left_unfinished(town: Town, ballot: Ballot, signed_in: SignedIn) -> None:
    leave(ballot)
    browser = signed_in(town.cora)
    pages = {
        address: browser.get(address).content.decode()
        for address in (
            "/",
            "/cases/",
            f"/cases/{ballot.case_id}/",
            "/votes/",
            f"/votes/{ballot.pk}/",
            "/votes/meeting/",
        )
    }

    assert "Vote not finished" in pages["/"]
    assert "a new vote: the meeting’s was not finished" in pages["/cases/"]
    assert "Not finished: nothing is decided" in pages[f"/cases/{ballot.case_id}/"]
    assert ": not finished" in pages["/votes/"]
    assert "nothing is decided. 3 hands had been written down; they count for nothing" in pages[f"/votes/{ballot.pk}/"]
    assert "Last vote not finished" in pages["/votes/meeting/"]
    for address in ("/votes/", f"/votes/{ballot.pk}/", "/votes/meeting/"):
        assert "Nobody Atall" not in pages[address]
        assert "3 for" not in pages[address]
