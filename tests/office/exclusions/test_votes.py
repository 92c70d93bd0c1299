from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.exclusions.rules.votes import ADVISERS, Ballot, Choice, Vote, Voter, VotingRules, count, why_not_vote

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
BALLOT = Ballot(closes_at=NOW + timedelta(days=1), is_open=True, nominating_member=7, nominated_by=70)
VOTER = Voter(1, frozenset({"members-contact"}), is_double=False, speaks_for=frozenset({5, 6}))


def test_who_speaks_for_a_member_votes_for_it() -> None:
    assert why_not_vote(VOTER, 5, BALLOT, NOW) is None


@pytest.mark.parametrize("role", sorted(ADVISERS))
def test_police_and_co_ordinator_never_vote(role: str) -> None:
    """G2, G11: a ban that police decided would be an act of a public body."""
    both = msgspec.structs.replace(VOTER, roles=VOTER.roles | {role})

    assert why_not_vote(both, 5, BALLOT, NOW) == "Police and the co-ordinator advise and do not vote."


def test_police_do_not_vote_through_a_second_account() -> None:
    assert "ask the co-ordinator" in (
        why_not_vote(msgspec.structs.replace(VOTER, is_double=True), 5, BALLOT, NOW) or ""
    )


def test_nobody_votes_for_a_member_they_do_not_speak_for() -> None:
    assert why_not_vote(VOTER, 8, BALLOT, NOW) is not None
    assert why_not_vote(msgspec.structs.replace(VOTER, speaks_for=frozenset()), 5, BALLOT, NOW) is not None


def test_nobody_votes_on_their_own_nomination() -> None:
    of_theirs = msgspec.structs.replace(VOTER, speaks_for=frozenset({5, 7}))
    assert why_not_vote(of_theirs, 7, BALLOT, NOW) is not None
    assert why_not_vote(msgspec.structs.replace(VOTER, account=70), 5, BALLOT, NOW) is not None


def test_nobody_votes_for_another_member_on_what_their_own_nominated() -> None:
    """It would be that member's second vote."""
    of_theirs = msgspec.structs.replace(VOTER, speaks_for=frozenset({5, 7}))
    assert why_not_vote(of_theirs, 5, BALLOT, NOW) is not None
    assert why_not_vote(of_theirs, 5, msgspec.structs.replace(BALLOT, nominating_member=0), NOW) is None


def test_nominator_does_not_vote_through_a_second_account() -> None:
    assert why_not_vote(msgspec.structs.replace(VOTER, is_nominator=True), 5, BALLOT, NOW) is not None


def test_vote_ends_on_the_second() -> None:
    assert why_not_vote(VOTER, 5, BALLOT, BALLOT.closes_at - timedelta(microseconds=1)) is None
    assert why_not_vote(VOTER, 5, BALLOT, BALLOT.closes_at) is not None
    assert why_not_vote(VOTER, 5, msgspec.structs.replace(BALLOT, is_open=False), NOW) is not None


def votes(*choices: Choice) -> list[Vote]:
    return [Vote(number, choice) for number, choice in enumerate(choices, start=1)]


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        (("exclude", "exclude", "do-not-exclude"), "accept"),
        (("exclude", "do-not-exclude", "do-not-exclude"), "reject"),
        (("exclude", "do-not-exclude", "abstain"), "reject"),
        (("exclude", "abstain", "abstain"), "accept"),
        (("abstain", "abstain", "abstain"), "reject"),
        (("exclude", "exclude"), "find-no-quorum"),
        ((), "find-no-quorum"),
    ],
)
def test_count(choices: tuple[Choice, ...], outcome: str) -> None:
    assert count(votes(*choices), frozenset(range(1, 9)), VotingRules()).outcome == outcome


def test_count_wants_more_than_the_majority() -> None:
    two_thirds = VotingRules(quorum=1, majority_percent=66)

    assert count(votes("exclude", "exclude", "do-not-exclude"), frozenset({1, 2, 3}), two_thirds).outcome == "accept"
    assert count(votes("exclude", "do-not-exclude"), frozenset({1, 2}), two_thirds).outcome == "reject"


def test_count_leaves_out_who_is_no_member_any_more() -> None:
    counted = count(votes("exclude", "exclude", "do-not-exclude"), frozenset({2, 3}), VotingRules(quorum=2))

    assert (counted.exclude, counted.do_not_exclude, counted.outcome) == (1, 1, "reject")


def test_quorum_of_nothing_still_wants_a_vote() -> None:
    assert count([], frozenset({1}), VotingRules(quorum=0)).outcome == "find-no-quorum"


@given(st.lists(st.builds(Vote, st.integers(1, 6), st.sampled_from(["exclude", "do-not-exclude", "abstain"]))))
def test_no_member_counts_twice(given_votes: list[Vote]) -> None:
    counted = count(given_votes, frozenset(range(1, 7)), VotingRules(quorum=1))

    assert counted.exclude + counted.do_not_exclude + counted.abstain == len({vote.member for vote in given_votes})
