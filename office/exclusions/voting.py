"""Casts and counts votes. Runs inside :func:`office.accounts.access.acting`, or alone when Watchlink itself counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, get_args

from django.db.models import F
from django.utils import timezone

from office.accounts.models import Account, RoleGrant
from office.audit.journal import record
from office.exclusions import acts, second_accounts
from office.exclusions.acts import MoveRefusedError
from office.exclusions.by_itself import alone
from office.exclusions.models import Ballot, BallotVote, Case
from office.exclusions.rules import votes
from office.exclusions.rules.life import MOVES
from office.exclusions.rules.period import day_of
from office.exclusions.rules.votes import ADVISERS, Choice, Vote, Voter
from office.members.models import Member, Premises, Spokesperson
from office.members.scope import memberships_on

NAMES_SHOWN: Final = 12
"""Of premises, where members are told from which they decide to exclude."""


def vote(actor: Account, ballot: Ballot, member: int, choice: Choice) -> None:
    """A member's vote between meetings, by who speaks for it.

    Raises:
        MoveRefusedError: they have no vote, or it is too late. The attempt is in the audit, because the refusal of
            police and co-ordinators must be provable; the caller commits it.
    """
    now = timezone.now()
    why_not = (
        "This vote is taken at the meeting."
        if ballot.way == "meeting"
        else votes.why_not_vote(voter_of(actor, ballot.case), member, facts_of(ballot), now)
    )
    if choice not in get_args(Choice):
        why_not = "Choose exclude, do not exclude, or abstain."
    if why_not:
        record(actor, "vote.refused", ballot.case, why=why_not)
        raise MoveRefusedError(why_not)
    _put(actor, ballot, member, choice, now)


def write_down(actor: Account, ballot: Ballot, member: int, choice: Choice) -> None:
    """A member's vote at a meeting, as the co-ordinator sees its hand.

    Raises:
        MoveRefusedError: the member has no vote, or the meeting is over.
    """
    now = timezone.now()
    facts = facts_of(ballot)
    if ballot.way != "meeting":
        raise MoveRefusedError("Members vote for themselves between meetings.")
    if not facts.is_open or now >= facts.closes_at:
        raise MoveRefusedError("The vote has ended. Nothing was written down.")
    if member == facts.nominating_member or member not in members_of(ballot.case, now):
        raise MoveRefusedError("This member has no vote on it.")
    if choice not in get_args(Choice):
        raise MoveRefusedError("Choose exclude, do not exclude, or abstain.")
    _put(actor, ballot, member, choice, now)


def strike_out(actor: Account, ballot: Ballot, member: int) -> None:
    """Take back what was written down for a member at a meeting: it was not there, or its hand was misread."""
    if ballot.way != "meeting" or ballot.ended_at is not None or timezone.now() >= ballot.closes_at:
        raise MoveRefusedError("The vote has ended. Nothing was changed.")
    if ballot.votes.filter(member=member).delete()[0]:
        record(actor, "vote.struck-out", ballot.case, member=member)


def close_meeting_vote(actor: Account, ballot: Ballot) -> None:
    """Count a meeting's vote now."""
    if ballot.way != "meeting" or ballot.ended_at is not None:
        raise MoveRefusedError("This vote ends by itself.")
    now = timezone.now()
    if now >= ballot.closes_at:
        raise MoveRefusedError("The meeting’s day is over, so nothing was counted. Take the vote anew.")
    _count(ballot, now)
    record(actor, "vote.closed", ballot.case)


def votes_due(now: datetime) -> list[int]:
    """Ballots whose time is over."""
    return list(Ballot.objects.filter(ended_at=None, closes_at__lte=now).values_list("pk", flat=True))


def ends_due(now: datetime) -> list[int]:
    """Cases whose last day is over."""
    standing = Case.objects.filter(state__in=MOVES["expire"].before, last_on__lt=day_of(now))
    return list(standing.values_list("pk", flat=True))


def count_what_is_due(now: datetime) -> int:
    """End every vote whose time is over; returns how many. Each in a transaction of its own.

    Votes between meetings are counted. A meeting's that nobody has closed decides nothing: hands may be missing.
    """
    due = votes_due(now)
    for number in due:
        with alone():
            ballot = Ballot.objects.select_related("case").filter(pk=number, ended_at=None).first()
            if ballot is not None and ballot.way == "meeting":
                _leave_unfinished(ballot)
            elif ballot is not None:
                # Who is a member is asked of its end: nobody loses their vote because the office was off.
                _count(ballot, ballot.closes_at)
    return len(due)


def end_what_is_over(now: datetime) -> int:
    """End every exclusion whose last day is over; returns how many."""
    due = ends_due(now)
    for number in due:
        with alone():
            case = Case.objects.filter(pk=number, state__in=MOVES["expire"].before).first()
            if case is not None and case.last_on is not None:
                acts.move_by_itself(case, "expire", acts.end_of(case.last_on))
    return len(due)


def votes_without_effect(ballot: Ballot, at: datetime, of: Iterable[int] | None = None) -> list[BallotVote]:
    """Votes that do not count if the vote ends at ``at`` and all else stays as it is now.

    The member has left; or, between meetings, who cast it has no vote any more: by a role they were given since, or
    because they do not speak for the member now. At a meeting the co-ordinator wrote it down, for all to see.

    Args:
        ballot: which vote.
        at: when it ends.
        of: members whose votes are looked at; ``None`` = all.
    """
    found = ballot.votes.select_related("member")
    cast = list(found if of is None else found.filter(member__in=list(of)))
    members, facts = members_of(ballot.case, at), facts_of(ballot)
    if ballot.way == "meeting":
        return [one for one in cast if one.member_id not in members]
    voters = voters_of({one.account_id for one in cast}, ballot.case, at)
    return [one for one in cast if votes.why_no_vote(voters[one.account_id], one.member_id, facts) is not None]


def voter_of(account: Account, case: Case) -> Voter:
    """Who wants to vote on a case, as the database has them now."""
    return voters_of({account.pk}, case, timezone.now())[account.pk]


def voters_of(accounts: Iterable[int], case: Case, at: datetime) -> dict[int, Voter]:
    """Those who want to vote on a case, or did, as the database has them now; for members of the scheme at ``at``.

    The questions are the same few however many they are.
    """
    numbers = frozenset(accounts)
    roles: dict[int, set[str]] = {number: set() for number in numbers}
    for number, role in RoleGrant.objects.filter(account__in=numbers).values_list("account_id", "role"):
        roles[number].add(role)
    granted = RoleGrant.objects.filter(account__is_active=True, role__in=ADVISERS)
    advisers = frozenset(granted.values_list("account_id", flat=True))
    same = second_accounts.same_as_each(numbers, {*advisers, case.nominated_by_id})
    spoken = _spoken_for(numbers, case, at)
    return {
        number: Voter(
            number,
            frozenset(roles[number]),
            is_double=not (advisers - {number}).isdisjoint(same[number]),
            speaks_for=spoken[number],
            is_nominator=case.nominated_by_id in same[number],
        )
        for number in numbers
    }


def _spoken_for(accounts: frozenset[int], case: Case, at: datetime) -> dict[int, frozenset[int]]:
    """Members of the case's scheme at ``at`` for whom each is chosen and has the role today."""
    chosen = Spokesperson.objects.filter(
        account__in=accounts,
        account__is_active=True,
        scheme=case.scheme_id,
        account__grants__role="members-contact",
        account__grants__scheme=F("scheme"),
    )
    pairs, members = set(chosen.values_list("account_id", "member_id")), members_of(case, at)
    return {one: members & {member for account, member in pairs if account == one} for one in accounts}


def members_of(case: Case, now: datetime) -> frozenset[int]:
    """Members of the case's scheme today."""
    current = memberships_on(day_of(now)).filter(scheme=case.scheme_id)
    return frozenset(current.values_list("member_id", flat=True))


def members_to_vote(case: Case, now: datetime) -> list[Member]:
    """Members that have a vote on a case, by name."""
    return list(Member.objects.filter(pk__in=members_of(case, now) - {case.nominating_member_id or 0}).order_by("name"))


def where(case: Case) -> str:
    """From which premises members decide to exclude, in words."""
    if case.scope == "all":
        return f"All premises of {case.scheme}, later joiners included"
    covered = Premises.objects.filter(pk__in=acts.covered(case)).order_by("name", "pk")
    names = list(covered.values_list("name", flat=True))
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "") or "No premises now"


def facts_of(ballot: Ballot) -> votes.Ballot:
    """For the rules."""
    return votes.Ballot(
        closes_at=ballot.closes_at,
        is_open=ballot.ended_at is None,
        nominating_member=ballot.case.nominating_member_id or 0,
        nominated_by=ballot.case.nominated_by_id,
    )


def _put(actor: Account, ballot: Ballot, member: int, choice: Choice, now: datetime) -> None:
    BallotVote.objects.update_or_create(
        ballot=ballot, member_id=member, defaults={"choice": choice, "account": actor, "at": now}
    )
    record(actor, "vote.cast", ballot.case, member=member)


def _count(ballot: Ballot, now: datetime) -> None:
    without_effect = votes_without_effect(ballot, now)
    cast: Iterable[BallotVote] = ballot.votes.exclude(pk__in=[one.pk for one in without_effect])
    members = members_of(ballot.case, now) - {ballot.case.nominating_member_id or 0}
    rules = votes.VotingRules(quorum=ballot.quorum, majority_percent=ballot.majority_percent)
    counted = votes.count((Vote(one.member_id, one.choice) for one in cast), members, rules)  # type: ignore[arg-type]
    ballot.ended_at, ballot.outcome = now, counted.outcome
    ballot.not_counted = len(without_effect)
    ballot.exclude, ballot.do_not_exclude, ballot.abstain = counted.exclude, counted.do_not_exclude, counted.abstain
    ballot.save()
    if without_effect:
        record(None, "vote.not-counted", ballot.case, members=sorted(one.member_id for one in without_effect))
    acts.move_by_itself(ballot.case, counted.outcome, now)


def _leave_unfinished(ballot: Ballot) -> None:
    """What was written down stays, and counts for nothing."""
    ballot.ended_at, ballot.outcome = ballot.closes_at, "leave-unfinished"
    ballot.save()
    acts.move_by_itself(ballot.case, "leave-unfinished", ballot.closes_at)
