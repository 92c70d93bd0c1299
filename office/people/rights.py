"""What people ask of a scheme about themselves, and what is done. Runs inside :func:`office.accounts.access.acting`.

The audit names them by their reference alone, and never says what somebody asked or gave as a reason.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from msgspec import Struct

from office.accounts.models import Account, Scheme
from office.accounts.rules import Rights
from office.audit.journal import record
from office.breaches.copies import take_back_of
from office.exclusions import acts
from office.exclusions.acts import ChangedMeanwhileError, Turn
from office.exclusions.models import Case
from office.exclusions.rules.life import IN_FORCE, MOVES, OVER
from office.members.facts import folded
from office.people import erasure, rules
from office.people.forgetting import forget_deleted_rows
from office.people.models import Individual, RightsRequest
from office.people.photographs import erase_photographs
from office.people.rules import RequestKind, Way

CORRECTED_FIELDS: Final = ("name", "also_known_as", "born_on", "is_believed_minor", "description", "address")
REASON_WHEN_ERASED: Final = "The person is erased from the register."


class RefusedError(ValueError):
    """It cannot be done; the message is a sentence for whoever asked."""


class Correction(Struct, frozen=True):
    """What is right of a person: the fields of :data:`CORRECTED_FIELDS`."""

    name: str
    also_known_as: str
    born_on: date | None
    is_believed_minor: bool
    description: str
    address: str


class Search(Struct, frozen=True):
    """How somebody is looked for.

    Attributes:
        way: how.
        reference: of the notice, or of whom the photographs showed.
        name, born_on: for a search by name.
        compared_by: who compared photographs, and with what.
        proof: how the person proved who they are.
    """

    way: Way
    reference: str
    name: str
    born_on: date | None
    compared_by: str
    proof: str


def requests_of(own: frozenset[int]) -> QuerySet[RightsRequest]:
    """The requests that exist for a co-ordinator of these schemes."""
    return RightsRequest.objects.filter(scheme__in=own).select_related("scheme", "individual__scheme")


def receive(actor: Account, scheme: Scheme, kind: RequestKind, received_on: date, texts: tuple[str, str]) -> int:
    """Record what somebody asks; returns the request's number.

    Args:
        actor: who records it.
        scheme: of whom it is asked.
        kind: of request.
        received_on: when it arrived.
        texts: who asks and how to reach them; what they say.

    Raises:
        RefusedError: the day is in the future.
    """
    if received_on > timezone.localdate():
        raise RefusedError("This day is in the future. Enter the day on which it arrived.")
    asked_by, asked = texts
    request = RightsRequest.objects.create(
        scheme=scheme,
        kind=kind,
        asked_by=asked_by,
        asked=asked,
        received_on=received_on,
        due_on=rules.due_on(kind, received_on),
        recorded_by=actor,
    )
    record(actor, "request.received", request, kind=kind, received_on=received_on)
    return request.pk


def acknowledge(actor: Account, request: RightsRequest) -> None:
    """The person has been told that it arrived."""
    if request.acknowledged_on is None:
        request.acknowledged_on = timezone.localdate()
        request.save(update_fields=["acknowledged_on"])
        record(actor, "request.acknowledged", request)


def settle(actor: Account, request: RightsRequest, outcome: str) -> None:
    """It was answered.

    Raises:
        RefusedError: without an outcome, or settled already.
    """
    if request.done_on is not None:
        raise RefusedError("This request is settled already.")
    if not outcome.strip():
        raise RefusedError("Say what the person was answered.")
    request.done_on, request.outcome = timezone.localdate(), outcome
    request.acknowledged_on = request.acknowledged_on or request.done_on
    request.save(update_fields=["done_on", "outcome", "acknowledged_on"])
    reference = request.individual.reference if request.individual else ""
    record(actor, "request.settled", request, individual=reference)


def find(actor: Account, request: RightsRequest, search: Search) -> Individual:
    """Establish whom of the register a request is about. The attempt is in the audit, found or not.

    Raises:
        RefusedError: too little is established, nobody is found, or several are.
    """
    why_not = rules.why_not_identify(search.way, compared_by=search.compared_by, proof=search.proof)
    if why_not:
        raise RefusedError(why_not)
    found = _matching(request.scheme_id, search)
    if len(found) != 1:
        record(actor, "request.not-found", request, way=search.way, found=len(found))
        raise RefusedError(
            "Nobody in the register matches. Try another way, or answer that nothing is held."
            if not found
            else f"{len(found)} people match: {', '.join(one.reference for one in found[:5])}. Use the reference."
        )
    request.individual, request.found_by = found[0], search.way
    request.proof, request.compared_by = search.proof, search.compared_by
    request.save(update_fields=["individual", "found_by", "proof", "compared_by"])
    record(actor, "request.found", request, way=search.way, individual=found[0].reference)
    return found[0]


def correct(actor: Account, request: RightsRequest, version: int, correction: Correction, reason: str) -> None:
    """Correct what is held of whom a request is about. The reason stays with the request.

    Raises:
        ChangedMeanwhileError: somebody else has changed it since the page was loaded.
        RefusedError: without a reason, or the person is erased.
    """
    individual = found_by(request)
    if individual.erased_at is not None:
        raise RefusedError("This person is erased.")
    if version != individual.version:
        raise ChangedMeanwhileError
    if not reason.strip():
        raise RefusedError("Say why, in a sentence.")
    changed = [field for field in CORRECTED_FIELDS if getattr(individual, field) != getattr(correction, field)]
    if not changed:
        return
    for field in changed:
        setattr(individual, field, getattr(correction, field))
    individual.search_text = folded(f"{correction.name} {correction.also_known_as}")
    individual.version += 1
    individual.save()
    if "name" in changed:
        # The person's copy names them otherwise.
        individual.cases.filter(state__in=IN_FORCE).update(paper_digest="")
        take_back_of(actor, individual)
    transaction.on_commit(forget_deleted_rows)
    record(actor, "individual.corrected", individual, fields=changed, individual=individual.reference)
    _note(actor, request, f"corrected {', '.join(field.replace('_', ' ') for field in changed)}: {reason}")


def restrict(actor: Account, rights: Rights, request: RightsRequest, reason: str) -> int:
    """Hide from shops every standing case of whom a request is about, while accuracy is contested; returns how many.

    A case that is not issued yet will be hidden from its issue on.

    Raises:
        MoveRefusedError: as :func:`office.exclusions.acts.restrict`.
    """
    hidden = [one for one in standing(found_by(request)) if not one.is_restricted]
    for case in hidden:
        acts.restrict(Turn(actor, rights, case, case.version), reason)
    if hidden:
        _note(actor, request, f"hidden from shops: {reason}")
    return len(hidden)


def erase(actor: Account, rights: Rights, request: RightsRequest, version: int, reason: str) -> None:
    """Erase whom a request is about. What stands ends; numbers, states and dates stay.

    Raises:
        ChangedMeanwhileError: somebody else has changed it since the page was loaded.
        RefusedError: an exclusion stands and no reason is given, or the person is erased already.
    """
    individual = found_by(request)
    if individual.erased_at is not None:
        raise RefusedError("This person is erased already.")
    if version != individual.version:
        raise ChangedMeanwhileError
    stands = standing(individual)
    why_not = rules.why_not_erase(has_standing_case=bool(stands), reason=reason)
    if why_not:
        raise RefusedError(why_not)
    for case in stands:
        _end(actor, rights, case)
    erase_all(actor, individual, ended=len(stands))
    _note(actor, request, f"erased{': ' if reason else ''}{reason}")


def erase_all(actor: Account | None, individual: Individual, *, ended: int = 0) -> None:
    """Erase a person none of whose cases stands, with all that is held of them.

    Args:
        actor: who; ``None`` = Watchlink itself, by the schedule.
        individual: whom.
        ended: how many cases were ended for it.
    """
    photographs = erase_photographs(actor, individual)
    cases = [case for case in individual.cases.all() if not erasure.is_erased(case)]
    for case in cases:
        erasure.erase_case(case)
    individual.erased_at = timezone.now()
    erasure.erase_words(individual)
    erasure.erase_reports_without_case(individual)
    transaction.on_commit(forget_deleted_rows)
    numbers = [case.number for case in cases]
    record(actor, "individual.erased", individual, photographs=photographs, cases=numbers, ended=ended)


def found_by(request: RightsRequest) -> Individual:
    """Whom a request is about.

    Raises:
        RefusedError: that is not established.
    """
    if request.individual is None:
        raise RefusedError("Find out first whom of the register this is about.")
    return request.individual


def standing(individual: Individual) -> list[Case]:
    """The cases of a person that are not over."""
    return list(individual.cases.exclude(state__in=OVER).order_by("pk"))


def _end(actor: Account, rights: Rights, case: Case) -> None:
    def turn() -> Turn:
        return Turn(actor, rights, case, case.version)

    if case.state == "voting":
        acts.stop_vote(turn(), REASON_WHEN_ERASED)
    if case.state in MOVES["withdraw"].before:
        acts.withdraw(turn(), REASON_WHEN_ERASED)
    else:
        acts.revoke(turn(), REASON_WHEN_ERASED)


def _note(actor: Account, request: RightsRequest, text: str) -> None:
    day = timezone.localdate()
    line = f"{day.day} {day:%b %Y}, {actor.name}: {text}"
    request.notes = "\n".join(filter(None, (request.notes, line)))
    request.save(update_fields=["notes"])


def _matching(scheme: int, search: Search) -> list[Individual]:
    people = Individual.objects.filter(scheme=scheme, erased_at=None).select_related("scheme")
    if search.way == "name":
        if search.born_on is None or not search.name.strip():
            return []
        wanted = folded(search.name)
        return [
            one
            for one in people.filter(born_on=search.born_on)
            if wanted in map(folded, (one.name, one.also_known_as, *rules.other_names(one.also_known_as)))
        ]
    typed = re.fullmatch(r"(?:(\S+)-)?([0-9]{1,9})", search.reference.strip(), re.ASCII)
    if typed is None:
        return []
    held = Individual.objects.filter(scheme=scheme, number=int(typed[2])).select_related("scheme", "same_as__scheme")
    found = [one.same_as or one for one in held if typed[1] in {None, one.scheme.slug, one.scheme.slug.upper()}]
    return [one for one in found if one.erased_at is None]
