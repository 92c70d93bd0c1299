"""Erases by the schedule, and shows before what goes and when. The audit says of each: done by Watchlink itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import Prefetch, Q, QuerySet
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
    """What goes in these schemes within :data:`office.people.rules.FORESEEN`, the next first."""
    until = today + rules.FORESEEN
    rows: list[Planned] = []
    for individual in _individuals().filter(scheme__in=own, pk__in=_candidates(until).values("pk")):
        plan = schedule_of(individual)
        if plan.photographs is not None:
            rows.append(Planned(plan.photographs, "Photographs", individual.reference))
        rows += [Planned(day, f"All texts of case {case}", individual.reference) for case, day in plan.cases.items()]
        if plan.person is not None:
            rows.append(Planned(plan.person, "The person: all but the number", individual.reference))
    for request in RightsRequest.objects.filter(scheme__in=own, done_on__isnull=False):
        day = rules.request_goes_on(request.done_on)
        assert day is not None
        rows.append(Planned(day, REQUEST_WORDS, str(request.pk)))
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
        logger.warning("nothing is erased by the schedule: the clock is not near what people did last")
        return 0
    gone = 0
    for number in list(_candidates(today).values_list("pk", flat=True)):
        with in_turn():
            individual = _individuals().filter(pk=number).first()
            gone += 0 if individual is None else _erase_due(individual, today)
    for number in list(RightsRequest.objects.filter(done_on__isnull=False).values_list("pk", flat=True)):
        with in_turn():
            gone += _delete_due_request(number, today)
    return gone


def schedule_of(individual: Individual) -> Schedule:
    """When what is held of a person goes; of a row of :func:`_individuals`."""
    cases = tuple(
        Kept(
            number=case.number,
            was_accepted=case.decided_at is not None and case.state != "lapsed",
            over_on=None if case.over_at is None else day_of(case.over_at),
            is_erased=erasure.is_erased(case),
        )
        for case in individual.cases.all()
    )
    facts = KeptPerson(
        added_on=day_of(individual.created_at),
        cases=cases,
        has_photographs=bool(individual.photographs.all()),
        has_open_request=bool(individual.requests.all()),
    )
    return rules.schedule(facts)


def _individuals() -> QuerySet[Individual]:
    """Those that are not erased, with what the schedule asks of; their requests are the open ones."""
    return (
        Individual.objects.filter(erased_at=None)
        .select_related("scheme")
        .prefetch_related(
            "photographs",
            Prefetch("cases", Case.objects.order_by("number")),
            Prefetch("requests", RightsRequest.objects.filter(done_on=None)),
        )
    )


def _candidates(until: date) -> QuerySet[Individual]:
    """Those of whom anything might go by then: few of many, so that neither page nor night's work reads them all."""
    long_over = datetime.combine(until + timedelta(days=1), time(), TOWN_ZONE) - rules.ENDED_KEPT
    case_over = Case.objects.filter(over_at__isnull=False).exclude(category="")
    going = case_over.filter(Q(decided_at=None) | Q(state="lapsed") | Q(over_at__lte=long_over))
    pictured = Photograph.objects.filter(individual__cases__over_at__isnull=False)
    return Individual.objects.filter(
        Q(pk__in=going.values("individual")) | Q(pk__in=pictured.values("individual")) | Q(cases=None), erased_at=None
    )


def _erase_due(individual: Individual, today: date) -> int:
    plan = schedule_of(individual)
    if _is_due(plan.person, today):
        erase_all(None, individual)
        return 1
    gone = 0
    if _is_due(plan.photographs, today):
        gone += erase_photographs(None, individual)
    for case in _due(individual.cases.all(), plan, today):
        erasure.erase_case(case)
        record(None, "case.erased", case, individual=individual.reference)
        gone += 1
    return gone


def _due(cases: Iterable[Case], plan: Schedule, today: date) -> Iterator[Case]:
    return (case for case in cases if _is_due(plan.cases.get(case.number), today))


def _delete_due_request(number: int, today: date) -> int:
    request = RightsRequest.objects.filter(pk=number).first()
    if request is None or not _is_due(rules.request_goes_on(request.done_on), today):
        return 0
    record(None, "request.deleted", request)
    request.delete()
    return 1


def _is_due(day: date | None, today: date) -> bool:
    return day is not None and day <= today
