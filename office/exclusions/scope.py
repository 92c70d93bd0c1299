"""What of cases and votes a person sees: every query for their pages begins here.

* Co-ordinators: the cases and votes of their schemes.
* Members' contacts: what they nominated, and the votes, of the schemes in which they speak for a member today.
* PCSOs: what is in force in their schemes, for they serve it.
* Police, PCSOs, duty sergeants: the votes of their schemes, on which they advise.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest
from django.utils import timezone

from office.accounts.access import person, rights
from office.accounts.models import Scheme
from office.accounts.rules import Rights
from office.audit.journal import record
from office.exclusions.models import Ballot, Case
from office.exclusions.rules.life import IN_FORCE
from office.exclusions.rules.votes import ADVISERS
from office.members.models import Member
from office.members.scope import memberships_on, spoken_for
from office.people.models import SHOWN_TO_READERS, Photograph

ENDED_VOTES_SHOWN: Final = timedelta(days=30)
"""So long members read how a vote ended."""


def cases_visible(rights: Rights) -> QuerySet[Case]:
    """The cases that exist for a person, with what every page shows of them."""
    seen = Q(scheme__in=rights.co_ordinates)
    seen |= Q(scheme__in={scheme for _, scheme in speaks_now(rights)}, nominated_by=rights.account)
    seen |= Q(scheme__in=rights.schemes("pcso"), state__in=IN_FORCE)
    return Case.objects.filter(seen).select_related("scheme", "individual")


def speaks_now(rights: Rights) -> frozenset[tuple[int, int]]:
    """(member, scheme) for which a person speaks, of members that have joined by today and have not left."""
    pairs = spoken_for(rights)
    if not pairs:
        return pairs
    current = memberships_on(timezone.localdate()).filter(member__in=[member for member, _ in pairs])
    return pairs & set(current.values_list("member_id", "scheme_id"))


def with_last_outcome(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Cases with ``last_outcome``: what the newest vote on each came to; ``None`` or empty = nothing yet."""
    newest = Ballot.objects.filter(case=OuterRef("pk")).order_by("-opened_at", "-pk")
    return cases.annotate(last_outcome=Subquery(newest.values("outcome")[:1]))


def ballots_visible(rights: Rights, now: datetime) -> QuerySet[Ballot]:
    """The votes that exist for a person. Stopped ones, and those of erased cases, are told of by the case alone."""
    voting = {scheme for _, scheme in speaks_now(rights)}
    recent = Q(ended_at=None) | Q(ended_at__gt=now - ENDED_VOTES_SHOWN)
    seen = Q(case__scheme__in=rights.co_ordinates)
    seen |= Q(case__scheme__in=voting | rights.schemes(*ADVISERS)) & recent
    shown = Ballot.objects.filter(seen).exclude(outcome="stop-vote").exclude(case__category="")
    return shown.select_related("case__scheme")


def one_case(request: HttpRequest, number: int) -> Case:
    """A case that exists for the person who is signed in.

    Raises:
        Http404: it does not. Who asked for which number is in the audit, not whether there is such a case.
    """
    found = cases_visible(rights(request)).filter(pk=number).first()
    if found is None:
        record(person(request), "case.not-found", f"case address {number}", number=number)
        raise Http404
    return found


def one_ballot(request: HttpRequest, number: int, now: datetime) -> Ballot:
    """A vote that exists for the person who is signed in.

    Raises:
        Http404: it does not; it is in the audit, as of :func:`one_case`.
    """
    found = ballots_visible(rights(request), now).filter(pk=number).first()
    if found is None:
        record(person(request), "vote.not-found", f"vote address {number}", number=number)
        raise Http404
    return found


def may_see_person(rights: Rights, case: Case) -> bool:
    """Whether who the case is about is shown to somebody who sees the case.

    A member's contact is told nothing of the register: they see whom they nominated as long as all that is known of
    the person comes from their own nominations.
    """
    if case.scheme_id in rights.co_ordinates | rights.schemes("pcso"):
        return True
    return not Case.objects.filter(individual=case.individual_id).exclude(nominated_by=rights.account).exists()


def shown_photograph(rights: Rights, case: Case) -> Photograph | None:
    """The photograph that readers see of whom the case is about, for its co-ordinators."""
    if case.scheme_id not in rights.co_ordinates:
        return None
    return case.individual.photographs.filter(SHOWN_TO_READERS).first()


def may_nominate_for(rights: Rights) -> list[tuple[Scheme, Member | None]]:
    """In which schemes, and for which members, a person nominates; no member = as co-ordinator."""
    schemes = Scheme.objects.in_bulk()
    pairs = sorted(speaks_now(rights))
    members = Member.objects.in_bulk([member for member, _ in pairs])
    found: list[tuple[Scheme, Member | None]] = [(schemes[one], None) for one in sorted(rights.co_ordinates)]
    found += [(schemes[scheme], members[member]) for member, scheme in pairs if scheme not in rights.co_ordinates]
    return found
