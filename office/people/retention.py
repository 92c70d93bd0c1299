"""Erases by the schedule, and shows before what goes and when. The audit says of each: done by Watchlink itself."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from msgspec import Struct

from office.accounts.access import in_turn
from office.audit.journal import record
from office.audit.models import AuditRow
from office.exclusions.models import Case
from office.exclusions.rules.period import TOWN_ZONE, day_of
from office.people import erasure, rules
from office.people.models import Individual, Photograph, RightsRequest
from office.people.photographs import erase_photographs
from office.people.rights import erase_all
from office.people.rules import Kept, KeptPerson, Schedule

logger = logging.getLogger(__name__)
REQUEST_WORDS: Final = "A settled request"


class Planned(Struct, frozen=True):
    """Something that goes.

    Attributes:
        goes_on: from when.
        what: for people.
        subject: reference of the person, or number of the request.
    """

    goes_on: date
    what: str
    subject: str


def planned(own: frozenset[int], today: date) -> list[Planned]:
    """What goes in these schemes within :data:`office.people.rules.FORESEEN`, the next first.

    As many queries as for one, and no texts read: hundreds may go in a month.
    """
    until = today + rules.FORESEEN
    rows: list[Planned] = []
    for individual, kept in _kept(_candidates(until).filter(scheme__in=own)):
        plan, reference = rules.schedule(kept), individual.reference
        if plan.photographs is not None:
            rows.append(Planned(plan.photographs, "Photographs", reference))
        rows += [Planned(day, f"All texts of case {case}", reference) for case, day in plan.cases.items()]
        if plan.person is not None:
            rows.append(Planned(plan.person, "The person: all but the number", reference))
    for number, day in _requests(until).filter(scheme__in=own).values_list("pk", "done_on"):
        goes_on = rules.request_goes_on(day)
        assert goes_on is not None
        rows.append(Planned(goes_on, REQUEST_WORDS, str(number)))
    return sorted((row for row in rows if row.goes_on <= until), key=lambda row: (row.goes_on, row.subject))


def is_held(today: date) -> bool:
    """Whether nothing is erased because this clock disagrees with what people did last.

    What Watchlink did by itself says nothing: it went by the same clock.
    """
    by_people = AuditRow.objects.filter(actor_account__gt=0)
    newest = by_people.order_by("-sequence").values_list("at", flat=True).first()
    return not rules.may_trust_clock(today, None if newest is None else day_of(newest))


def erase_what_is_due(now: datetime) -> int:
    """Erase all whose day has come; returns how many things went. Each person in a transaction of its own."""
    today = day_of(now)
    if is_held(today):
        # In a new office nobody has done anything yet, and there is nothing to erase either.
        if _candidates(today).exists() or _requests(today).exists():
            logger.warning("nothing is erased by the schedule: the clock is not near what people did last")
        return 0
    gone = 0
    for number in list(_candidates(today).values_list("pk", flat=True)):
        with in_turn():
            for _, kept in _kept(Individual.objects.filter(pk=number)):
                individual = Individual.objects.select_related("scheme").get(pk=number)
                gone += _erase_due(individual, rules.schedule(kept), today)
    for number in list(_requests(today).values_list("pk", flat=True)):
        with in_turn():
            gone += _delete_due_request(number, today)
    return gone


def _kept(people: QuerySet[Individual]) -> list[tuple[Individual, KeptPerson]]:
    """Those of ``people`` that are not erased, by their numbers, with what the schedule asks of."""
    found = list(people.filter(erased_at=None).select_related("scheme").only("number", "created_at", "scheme__slug"))
    numbers = [one.pk for one in found]
    pictured = frozenset(Photograph.objects.filter(individual__in=numbers).values_list("individual", flat=True))
    waiting = frozenset(
        RightsRequest.objects.filter(individual__in=numbers, done_on=None).values_list("individual", flat=True)
    )
    cases: defaultdict[int, list[Kept]] = defaultdict(list)
    rows = Case.objects.filter(individual__in=numbers).order_by("number")
    for whose, number, state, decided_at, over_at, category in rows.values_list(
        "individual", "number", "state", "decided_at", "over_at", "category"
    ):
        kept = Kept(
            number=number,
            was_accepted=decided_at is not None and state != "lapsed",
            over_on=None if over_at is None else day_of(over_at),
            is_erased=erasure.is_without_words(category),
        )
        cases[whose].append(kept)
    return [
        (
            one,
            KeptPerson(
                added_on=day_of(one.created_at),
                cases=tuple(cases[one.pk]),
                has_photographs=one.pk in pictured,
                has_open_request=one.pk in waiting,
            ),
        )
        for one in found
    ]


def _requests(until: date) -> QuerySet[RightsRequest]:
    """Those that are settled and may go by then; a few too many where months are short."""
    return RightsRequest.objects.filter(done_on__lte=until - rules.REQUESTS_KEPT + timedelta(days=3))


def _candidates(until: date) -> QuerySet[Individual]:
    """Those of whom anything might go by then: few of many, so that neither page nor night's work reads them all."""
    long_over = datetime.combine(until + timedelta(days=1), time(), TOWN_ZONE) - rules.ENDED_KEPT
    case_over = Case.objects.filter(over_at__isnull=False).exclude(category="")
    going = case_over.filter(Q(decided_at=None) | Q(state="lapsed") | Q(over_at__lte=long_over))
    pictured = Photograph.objects.filter(individual__cases__over_at__isnull=False)
    return Individual.objects.filter(
        Q(pk__in=going.values("individual")) | Q(pk__in=pictured.values("individual")) | Q(cases=None), erased_at=None
    )


def _erase_due(individual: Individual, plan: Schedule, today: date) -> int:
    if _is_due(plan.person, today):
        erase_all(None, individual)
        return 1
    gone = 0
    if _is_due(plan.photographs, today):
        gone += erase_photographs(None, individual)
    for case in individual.cases.filter(number__in=[number for number, day in plan.cases.items() if day <= today]):
        erasure.erase_case(case)
        record(None, "case.erased", case, individual=individual.reference)
        gone += 1
    return gone


def _delete_due_request(number: int, today: date) -> int:
    request = RightsRequest.objects.filter(pk=number).first()
    if request is None or not _is_due(rules.request_goes_on(request.done_on), today):
        return 0
    record(None, "request.deleted", request)
    request.delete()
    return 1


def _is_due(day: date | None, today: date) -> bool:
    return day is not None and day <= today
