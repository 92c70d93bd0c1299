"""Pages of votes. Members decide on what was done, not on who did it.

No name, photograph, description or reference of the person stands on a page of an open vote, and the templates of votes
are given none: only the pages of a meeting whose scheme shows the identity, and for the co-ordinator those of a vote
that excluded the person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from msgspec import Struct

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Scheme
from office.accounts.rules import Rights
from office.exclusions import acts, voting
from office.exclusions.acts import MoveRefusedError
from office.exclusions.due import settled
from office.exclusions.models import Ballot, BallotVote, Case
from office.exclusions.rules import votes
from office.exclusions.rules.period import TARIFF_MONTHS
from office.exclusions.rules.votes import ADVISERS, Voter
from office.exclusions.scope import (
    ballots_visible,
    cases_visible,
    one_ballot,
    shown_photograph,
    speaks_now,
    with_last_outcome,
)
from office.exclusions.vote_forms import HandsForm, VoteForm, members_named
from office.members.models import Member

ENDED_ROWS_MAX: Final = 50
WAITING_ROWS_MAX: Final = 100
"""More than a meeting reads."""
OUTCOMES: Final = {
    "accept": "Excluded",
    "reject": "Not excluded",
    "find-no-quorum": "Too few members voted",
    "leave-unfinished": "Not finished",
    "stop-vote": "Stopped",
}


class VoteRow(Struct, frozen=True):
    """A vote in a list.

    Attributes:
        ballot: with its case and scheme.
        outcome: in words; empty = open.
        voted, mine: of the members for whom the person speaks, how many have voted, and have a vote.
    """

    ballot: Ballot
    outcome: str
    voted: int
    mine: int

    @property
    def is_mine_to_cast(self) -> bool:
        """Whether a vote of theirs is missing still."""
        is_open = not self.outcome and self.ballot.closes_at > timezone.now()
        return is_open and self.ballot.way == "between-meetings" and self.voted < self.mine


def vote_rows(mine: Rights) -> list[VoteRow]:
    """Votes that exist for a person: the open ones first, those that end first on top."""
    seen = ballots_visible(mine, timezone.now())
    found = [*seen.filter(ended_at=None).order_by("closes_at", "pk")]
    found += seen.exclude(ended_at=None).order_by("-ended_at", "pk")[:ENDED_ROWS_MAX]
    spoken = speaks_now(mine)
    cast = _cast(found, {member for member, _ in spoken}, mine.account)
    rows = []
    advises = bool(mine.schemes(*ADVISERS))
    for one in found:
        theirs = {member for member, scheme in spoken if scheme == one.case.scheme_id}
        is_nominator = one.case.nominated_by_id == mine.account or one.case.nominating_member_id in theirs
        has_vote = not advises and not is_nominator
        voted = sum((one.pk, member) in cast for member in theirs)
        rows.append(VoteRow(one, OUTCOMES.get(one.outcome, ""), voted, len(theirs) if has_vote else 0))
    return rows


def _cast(ballots: Iterable[Ballot], members: Iterable[int], me: int) -> set[tuple[int, int]]:
    """(ballot, member) of the votes that members have cast; of an open vote only those that would count now."""
    rows = BallotVote.objects.filter(ballot__in=list(ballots), member__in=list(members)).values_list(
        "ballot_id", "member_id", "account_id"
    )
    cast = {(ballot, member) for ballot, member, _ in rows}
    of_others = {ballot for ballot, _, account in rows if account != me}
    # One's own stands while one sees it; another's is looked at, for they may have left.
    for ballot in ballots:
        if ballot.ended_at is None and ballot.pk in of_others:
            void = voting.votes_without_effect(ballot, ballot.closes_at, members)
            cast -= {(ballot.pk, one.member_id) for one in void}
    return cast


@for_roles("co-ordinator", "members-contact", "police", "pcso", "duty-sergeant")
@settled
@require_GET
def votes_list(request: HttpRequest) -> HttpResponse:
    """Votes of the person's schemes."""
    mine = rights(request)
    context = {"rows": vote_rows(mine), "advises": bool(mine.schemes(*ADVISERS)), "is_co_ordinator": mine.co_ordinates}
    return render(request, "exclusions/votes.html", context)


@settled
@require_GET
def vote_page(request: HttpRequest, number: int) -> HttpResponse:
    """One vote, with the person's own votes if they have any; counts once it has ended."""
    ballot = one_ballot(request, number, timezone.now())
    return _show(request, ballot, _form(request, ballot))


@settled
@require_POST
def cast(request: HttpRequest, number: int) -> HttpResponseBase:
    """Vote for the members that the person speaks for. A refusal is answered with 403 and is in the audit."""
    ballot = one_ballot(request, number, timezone.now())
    form = _form(request, ballot, is_sent=True)
    if form is not None and not form.is_valid():
        return _show(request, ballot, form, status=400)
    wanted = members_named(request.POST)
    refusals: list[str] = []
    recorded: list[int] = []
    with acting(request) as (actor, mine):
        now = ballots_visible(mine, timezone.now()).filter(pk=number).first()
        if now is None:
            raise Http404
        spoken = voting.voter_of(actor, now.case).speaks_for
        others = [member for member in wanted if member not in spoken][:1]
        # Whoever may not vote at all is refused, and that is recorded, whatever they sent.
        asked = [*sorted(spoken & wanted.keys()), *others] or [0]
        for member in asked:
            try:
                voting.vote(actor, now, member, wanted.get(member, "abstain"))  # type: ignore[arg-type]  # it checks
            except MoveRefusedError as e:
                # Caught in the transaction: the row in the audit that says so must stay.
                refusals.append(str(e))
            else:
                recorded.append(member)
    if refusals:
        ballot = one_ballot(request, number, timezone.now())
        return _show(request, ballot, form, status=403, refusals=refusals, recorded=recorded)
    messages.success(request, "Your vote is recorded. You can change it until the vote ends.")
    return redirect("vote", number=number)


@for_roles("co-ordinator")
@settled
@require_GET
def meeting(request: HttpRequest) -> HttpResponse:
    """What today's meeting votes on, by number: nothing else is read out before a vote."""
    mine = rights(request)
    today = timezone.localdate()
    of_today = Ballot.objects.filter(way="meeting", meeting_on=today, case__scheme__in=mine.co_ordinates)
    ballots = (
        of_today.exclude(outcome="stop-vote").select_related("case__scheme").order_by("case__scheme", "case__number")
    )
    waiting = (
        with_last_outcome(cases_visible(mine))
        .filter(scheme__in=mine.co_ordinates, state="checked")
        .order_by("scheme", "number")[:WAITING_ROWS_MAX]
    )
    context = {
        "rows": [(one, OUTCOMES.get(one.outcome, "")) for one in ballots],
        "waiting": waiting,
        "today": today,
        "schemes": Scheme.objects.filter(pk__in=mine.co_ordinates),
    }
    return render(request, "exclusions/meeting.html", context)


@for_roles("co-ordinator")
@settled
@require_http_methods(["GET", "POST"])
def hands(request: HttpRequest, number: int) -> HttpResponseBase:
    """Write down the hands at a meeting, and close the vote."""
    ballot = one_ballot(request, number, timezone.now())
    if ballot.case.scheme_id not in rights(request).co_ordinates or ballot.way != "meeting":
        raise Http404
    if ballot.ended_at is not None:
        if request.method == "POST":
            messages.error(request, "The vote has ended. Nothing was written down.")
        return redirect("vote", number=number)
    members = voting.members_to_vote(ballot.case, timezone.now())
    form = HandsForm(members, _choices(ballot, members), request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        identity = _identity(request, ballot)
        photograph = shown_photograph(rights(request), identity) if identity is not None else None
        context = _facts(ballot) | {"form": form, "identity": identity, "photograph": photograph}
        return render(request, "exclusions/hands.html", context, status=400 if form.errors else 200)
    is_closing = "close" in request.POST
    try:
        with acting(request) as (actor, mine):
            now = ballots_visible(mine, timezone.now()).filter(pk=number).first()
            if now is None or now.case.scheme_id not in mine.co_ordinates:
                raise Http404
            for member, choice in form.changes():
                if choice:
                    voting.write_down(actor, now, member, choice)
                else:
                    voting.strike_out(actor, now, member)
            if is_closing:
                voting.close_meeting_vote(actor, now)
    except MoveRefusedError as e:
        messages.error(request, str(e))
        return redirect("vote", number=number)
    messages.success(request, "The vote is counted." if is_closing else "Written down. Close the vote to count it.")
    return redirect("vote" if is_closing else "hands", number=number)


def _show(
    request: HttpRequest,
    ballot: Ballot,
    form: VoteForm | None,
    *,
    status: int = 200,
    refusals: Iterable[str] = (),
    recorded: Sequence[int] = (),
) -> HttpResponse:
    mine = rights(request)
    voter, identity = _voter(request, ballot.case), _identity(request, ballot)
    is_co_ordinator = ballot.case.scheme_id in mine.co_ordinates
    context = _facts(ballot) | {
        # Which members', not how they voted.
        "without_effect": _members_without_effect(ballot) if is_co_ordinator and ballot.ended_at is None else (),
        "form": form,
        "refusals": list(dict.fromkeys(refusals)),
        "recorded": Member.objects.filter(pk__in=recorded) if recorded else (),
        "advises": _advises(voter),
        "is_nominator": voter.is_nominator or ballot.case.nominating_member_id in voter.speaks_for,
        "is_co_ordinator": is_co_ordinator,
        "identity": identity,
        "photograph": shown_photograph(mine, identity) if identity is not None else None,
    }
    return render(request, "exclusions/vote.html", context, status=status)


def _form(request: HttpRequest, ballot: Ballot, *, is_sent: bool = False) -> VoteForm | None:
    """For the members for whom the person has a vote now; ``None`` = they have none."""
    voter = _voter(request, ballot.case)
    facts, now = voting.facts_of(ballot), timezone.now()
    if ballot.way == "meeting":
        return None
    numbers = [one for one in voter.speaks_for if votes.why_not_vote(voter, one, facts, now) is None]
    members = list(Member.objects.filter(pk__in=numbers).order_by("name", "pk"))
    if not members:
        return None
    return VoteForm(members, _choices(ballot, members), request.POST if is_sent else None)


def _voter(request: HttpRequest, case: Case) -> Voter:
    known: dict[int, Voter] = request.__dict__.setdefault("watchlink_voter", {})
    if case.pk not in known:
        account = request.user
        known[case.pk] = voting.voter_of(account, case)  # type: ignore[arg-type]  # signed in: the middleware sees to it
    return known[case.pk]


def _advises(voter: Voter) -> bool:
    return bool(voter.roles & ADVISERS) or voter.is_double


def _choices(ballot: Ballot, members: Iterable[Member]) -> dict[int, str]:
    numbers = [one.pk for one in members]
    void = [one.pk for one in voting.votes_without_effect(ballot, ballot.closes_at, numbers)]
    found = ballot.votes.filter(member__in=numbers).exclude(pk__in=void)
    return dict(found.values_list("member_id", "choice"))


def _members_without_effect(ballot: Ballot) -> list[str]:
    return sorted(one.member.name for one in voting.votes_without_effect(ballot, ballot.closes_at))


def _facts(ballot: Ballot) -> dict[str, Any]:
    """What members read: nothing here says who the person is."""
    case, now = ballot.case, timezone.now()
    first, again = TARIFF_MONTHS[case.category]  # type: ignore[index]  # the field's choices are its keys
    return {
        "ballot": ballot,
        "number": case.number,
        "scheme": case.scheme,
        "title": case.reference,
        "category": case.get_category_display(),
        "conduct": case.conduct,
        "evidence": case.evidence,
        "happened_on": case.happened_on,
        "happened_at": case.happened_at,
        "months": case.months,
        "months_reason": case.months_reason,
        "where": voting.where(case),
        "necessity": case.necessity,
        "source_ends_on": case.source_expires_on,
        "tariff_first": first,
        "tariff_again": again,
        "is_repeat": case.is_repeat,
        "is_minor": acts.is_minor(case.individual),
        "outcome": OUTCOMES.get(ballot.outcome, ""),
        "hands": ballot.votes.count() if ballot.outcome == "leave-unfinished" else 0,
        "voters": voting.members_to_vote(case, now),
        "ends_at": ballot.closes_at,
    }


def _identity(request: HttpRequest, ballot: Ballot) -> Case | None:
    """The case with its person, for the co-ordinator: once they are excluded, or while the scheme’s terms show it.

    The room reads this page: an under-18 is never on it. Whoever was not excluded is nobody’s to know; after any other
    outcome the case may be voted on again, by people who must not know more than before.
    """
    is_shown = ballot.identity_was_shown if ballot.ended_at is None else ballot.outcome == "accept"
    if not is_shown or acts.is_minor(ballot.case.individual):
        return None
    mine = rights(request)
    return cases_visible(mine).filter(pk=ballot.case_id, scheme__in=mine.co_ordinates).first()
