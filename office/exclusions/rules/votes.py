"""The vote: who has one, and what it decides (G11). No name or photograph occurs here: members vote on conduct."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from wire.snapshots import RoleSlug

Choice = Literal["exclude", "do-not-exclude", "abstain"]
Way = Literal["meeting", "between-meetings"]
"""How a decision was taken: each says so."""
Outcome = Literal["accept", "reject", "find-no-quorum"]
"""Moves of :mod:`office.exclusions.rules.life`."""

VOTE_LASTS: Final = timedelta(days=7)
"""Between meetings."""
ADVISERS: Final[frozenset[RoleSlug]] = frozenset({"co-ordinator", "police", "pcso", "duty-sergeant"})
"""They advise and never vote.

A ban decided by police could be reviewed in court as an act of a public body (*R (Boyle) v Haverhill Pub Watch* [2009]
EWHC 2441 (Admin)): so whoever has one of these roles, in any scheme, has no vote in any.
"""
ALIKE: Final = (
    "Your account has the same name or e-mail address as one of theirs. If you are not, ask the co-ordinator."
)
QUORUM_MIN: Final = 1
PERCENT: Final = 100


class Voter(Struct, frozen=True):
    """Who wants to vote.

    Attributes:
        account: number.
        roles: in all schemes of the town.
        is_double: another account with one of :data:`ADVISERS` may be the same person's.
        is_nominator: theirs is the account that nominated, or one that may be the same person's.
        speaks_for: members of the case's scheme for whom the person is chosen and has the role, today.
    """

    account: int
    roles: frozenset[str]
    is_double: bool
    speaks_for: frozenset[int]
    is_nominator: bool = False


class Ballot(Struct, frozen=True):
    """A vote on a case.

    Attributes:
        closes_at: aware; what arrives then or later is too late.
        is_open: it was not counted or stopped.
        nominating_member: has no vote on it; 0 = the co-ordinator nominated.
        nominated_by: account.
    """

    closes_at: datetime
    is_open: bool
    nominating_member: int
    nominated_by: int


class VotingRules(Struct, frozen=True):
    """Of a scheme.

    Attributes:
        quorum: members that must vote, abstentions included; ≥ 1.
        majority_percent: of those for and against, more than this must be for; 50 … 99.
    """

    quorum: int = 3
    majority_percent: int = 50


class Vote(Struct, frozen=True):
    """A member's vote."""

    member: int
    choice: Choice


class Count(Struct, frozen=True):
    """What a vote came to.

    Attributes:
        exclude, do_not_exclude, abstain: members.
        outcome: what follows.
    """

    exclude: int
    do_not_exclude: int
    abstain: int
    outcome: Outcome


def why_not_vote(voter: Voter, member: int, ballot: Ballot, now: datetime) -> str | None:
    """Why a person cannot vote for a member, and what to do; ``None`` = they may.

    A later vote replaces the member's own.

    Args:
        voter: as they are now, read in the transaction of the vote.
        member: for whom.
        ballot: on what.
        now: aware.
    """
    why_not = why_no_vote(voter, member, ballot)
    if why_not is None and (not ballot.is_open or now >= ballot.closes_at):
        return "The vote has ended. Your vote was not counted."
    return why_not


def why_no_vote(voter: Voter, member: int, ballot: Ballot) -> str | None:
    """Why a person has no vote for a member, however long the vote is open; ``None`` = they have.

    Whoever speaks for the member that nominated has none for another member either: that would be its second vote.
    """
    if voter.roles & ADVISERS or voter.is_double:
        return "Police and the co-ordinator advise and do not vote." + (f" {ALIKE}" if voter.is_double else "")
    if member not in voter.speaks_for:
        return "You do not speak for this member now. Ask the co-ordinator."
    if voter.account == ballot.nominated_by or ballot.nominating_member in voter.speaks_for:
        return "You nominated this person, so you have no vote on it."
    if voter.is_nominator:
        return f"The person who nominated has no vote on it. {ALIKE}"
    return None


def count(votes: Iterable[Vote], members: frozenset[int], rules: VotingRules) -> Count:
    """What the votes decide. A tie excludes nobody.

    Args:
        votes: one for each member.
        members: those that are members of the scheme at the end, without the one that nominated; others do not count.
        rules: the scheme's.
    """
    counted = {vote.member: vote.choice for vote in votes if vote.member in members}
    choices = list(counted.values())
    exclude, against = choices.count("exclude"), choices.count("do-not-exclude")
    outcome: Outcome
    if len(choices) < max(rules.quorum, QUORUM_MIN):
        outcome = "find-no-quorum"
    elif exclude * PERCENT > rules.majority_percent * (exclude + against):
        outcome = "accept"
    else:
        outcome = "reject"
    return Count(exclude, against, choices.count("abstain"), outcome)
