"""Removes what is held of a person, their photographs apart. Whoever calls decides, and writes the audit."""

from __future__ import annotations

from django.db.models import QuerySet

from office.breaches.models import Breach
from office.exclusions.models import BallotVote, Case
from office.exclusions.rules.period import day_of
from office.people.models import Individual


def erase_case(case: Case) -> None:
    """Leave of a case its number, state, dates and counts of votes: enough for figures, nothing about anybody."""
    case.category = case.regional_source = case.conduct = case.happened_at = case.evidence = ""
    case.check_note = case.months_reason = case.necessity = ""
    case.source, case.source_expires_on = "local", None
    # The day it happened may tell who it was; the row must have one.
    case.happened_on = day_of(case.nominated_at)
    case.minor_approved_by, case.may_show_minor = None, False
    # Else a member that once nominated could never be deleted.
    case.nominating_member = None
    case.is_restricted = case.has_open_appeal = case.is_repeat = False
    case.version += 1
    case.save()
    case.listed.clear()
    case.steps.update(reason="")
    case.notices.update(premises=[], served_by="", served_where="", served_how="")
    BallotVote.objects.filter(ballot__case=case).delete()
    # What shops reported of it: where, when, and what was done.
    case.breaches.all().delete()


def is_erased(case: Case) -> bool:
    """Whether nothing of a case but numbers and dates is left."""
    return is_without_words(case.category)


def is_without_words(category: str) -> bool:
    """The same, of its category alone."""
    return not category


def erase_words(individual: Individual) -> None:
    """Leave of a person the row with its number. Their cases are another function's."""
    individual.name = individual.also_known_as = individual.description = individual.address = ""
    individual.search_text = ""
    individual.born_on, individual.is_believed_minor = None, False
    individual.version += 1
    individual.save()


def erase_reports_without_case(individual: Individual) -> None:
    """Remove what shops reported of a person about a case that is not there: no case takes it along."""
    reports_without_case(individual).delete()


def reports_without_case(individual: Individual) -> QuerySet[Breach]:
    """Those, under whichever number of the person, the oldest first."""
    found = Breach.objects.filter(scheme=individual.scheme_id, case=None, reference__in=individual.references)
    return found.order_by("pk")
