"""Which breaches exist for a person: every query for their pages begins here.

Co-ordinators and police: those of their schemes, and nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone

from office.accounts.access import person, rights
from office.accounts.rules import Rights
from office.audit.journal import record
from office.breaches.models import Breach
from office.breaches.rules import ROLES, may_see_identity
from office.exclusions.models import Case
from office.exclusions.rules.life import IN_FORCE
from office.exclusions.rules.reach import MinorsPolicy
from office.exclusions.terms import terms_of, why_off
from office.people.models import SHOWN_TO_READERS, Individual, Photograph


def breaches_visible(mine: Rights) -> QuerySet[Breach]:
    """Those that exist for a person, with what every page shows of them."""
    found = Breach.objects.filter(scheme__in=mine.schemes(*ROLES))
    return found.select_related("scheme", "case__scheme", "case__individual__scheme", "premises")


def breaches_of(mine: Rights, individual: Individual) -> QuerySet[Breach]:
    """Those of one person of the register, the newest first."""
    return breaches_visible(mine).filter(case__individual=individual)


def one_breach(request: HttpRequest, number: int) -> Breach:
    """A breach that exists for the person who is signed in.

    Raises:
        Http404: it does not. Who asked for which number is in the audit, not whether there is such a breach.
    """
    found = breaches_visible(rights(request)).filter(pk=number).first()
    if found is None:
        record(person(request), "breach.not-found", f"breach address {number}", number=number)
        raise Http404
    return found


def identity_of(mine: Rights, breach: Breach) -> Individual | None:
    """Whom it is about, for somebody who sees the breach; ``None`` = they are shown the reference alone."""
    return identities_of(mine, [breach])[0]


def identities_of(mine: Rights, breaches: Iterable[Breach]) -> list[Individual | None]:
    """The same of several, in their order. Each scheme's terms are asked for once."""
    today = timezone.localdate()
    terms: dict[int, tuple[MinorsPolicy, bool]] = {}
    found: list[Individual | None] = []
    for breach in breaches:
        case, scheme = breach.case, breach.scheme
        if case is None or case.individual.erased_at is not None:
            found.append(None)
            continue
        if scheme.pk not in terms:
            policy = MinorsPolicy(dpia_allows=terms_of(scheme).dpia_allows_minors)
            terms[scheme.pk] = policy, why_off(scheme) is None
        policy, is_on = terms[scheme.pk]
        is_co_ordinator = scheme.pk in mine.co_ordinates
        seen = may_see_identity(case.shown(today), policy, is_co_ordinator=is_co_ordinator, is_register_on=is_on)
        found.append(case.individual if seen else None)
    return found


def shown_photograph(individual: Individual) -> Photograph | None:
    """The one that readers see."""
    return individual.photographs.filter(SHOWN_TO_READERS).select_related("individual__scheme").first()


def cases_to_choose(mine: Rights, breach: Breach) -> QuerySet[Case]:
    """By which the exclusion may have been extended: those in force of the same person in the scheme.

    None where the person is not shown. What is still voted on stands beside nobody's name.
    """
    individual = identity_of(mine, breach)
    if individual is None:
        return Case.objects.none()
    return Case.objects.filter(scheme=breach.scheme_id, individual=individual, state__in=IN_FORCE).order_by("-number")
