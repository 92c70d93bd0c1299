"""Pages of cases: the list, one case, a nomination."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Scheme
from office.accounts.rules import Rights
from office.breaches.scope import breaches_visible
from office.exclusions import acts, line, waiting
from office.exclusions.due import settled
from office.exclusions.forms import NominationForm
from office.exclusions.models import Case, Step
from office.exclusions.movers import mover_of
from office.exclusions.nominating import likely, nominate
from office.exclusions.rules import life, reach
from office.exclusions.rules.life import TITLES
from office.exclusions.rules.next_step import GRAVE, next_move
from office.exclusions.scope import (
    cases_visible,
    may_nominate_for,
    may_see_person,
    one_case,
    shown_photograph,
    with_last_outcome,
)
from office.exclusions.stale import stale_cases
from office.exclusions.terms import why_off
from office.exclusions.vote_views import vote_rows
from office.in_shops.cases import in_shops
from office.members.models import Premises
from office.people.erasure import is_erased
from office.people.intake_process import PhotographRefusedError
from office.people.models import Individual
from office.people.photographs import add_photograph, take_in

logger = logging.getLogger(__name__)

ROWS_PER_PAGE: Final = 50
STALE: Final = "stale"
_STALE_TITLE: Final = "Notice out of date"
_WAITING: Final = ("nominated", "checked", "decided", "issued")
"""States in which the co-ordinator has something to do, in the order of the list."""
_WAITS_FOR: Final = {
    "nominated": "your check",
    "checked": "the members’ vote: open it",
    "voting": "the members",
    "decided": "being issued",
    "issued": "being served",
}


@for_roles("co-ordinator", "members-contact")
@settled
@require_GET
def cases_list(request: HttpRequest) -> HttpResponse:
    """Cases that exist for the person: what waits for the co-ordinator first, then the newest."""
    mine, state = rights(request), request.GET.get("state", "")
    states: list[tuple[str, str]] = [*TITLES.items(), *([(STALE, _STALE_TITLE)] if mine.co_ordinates else [])]
    chosen = state if state in dict(states) else ""
    page = Paginator(_numbers(mine, state), ROWS_PER_PAGE).get_page(request.GET.get("page", "1"))
    cases = with_last_outcome(cases_visible(mine)).in_bulk(list(page.object_list))
    stale = frozenset(stale_cases(mine.co_ordinates, among=cases))
    rows = [
        (
            one,
            _waits_for(one, mine, one.last_outcome, is_stale=one.pk in stale),  # type: ignore[attr-defined]  # annotated
            one.individual if one.scheme_id in mine.co_ordinates else None,
        )
        for one in (cases[number] for number in page.object_list)
    ]
    context = {
        "page": page,
        "rows": rows,
        "state": chosen,
        "states": states,
        "query": f"state={chosen}" if chosen else "",
        "may_nominate": bool(may_nominate_for(mine)),
        "votes": vote_rows(mine) if mine.speaks_for_members else [],
    }
    return render(request, "exclusions/cases.html", context)


def _numbers(mine: Rights, state: str) -> Sequence[int] | QuerySet[Case, int]:
    """Of the cases in the list, in its order."""
    if state == STALE and mine.co_ordinates:
        return stale_cases(mine.co_ordinates)
    found = cases_visible(mine)
    if state in TITLES:
        found = found.filter(state=state)
    # Numbers alone are sorted: with all that is written of them, ten thousand cases take three times as long.
    return waiting_first(found).values_list("pk", flat=True)


@settled
@require_GET
def case_page(request: HttpRequest, number: int) -> HttpResponse:
    """One case: its life, what is known, and what the person may do next."""
    return render(request, "exclusions/case.html", case_context(rights(request), one_case(request, number)))


@for_roles("co-ordinator", "members-contact")
@settled
@require_http_methods(["GET", "POST"])
def nominate_page(request: HttpRequest) -> HttpResponseBase:
    """Nominate a person."""
    behalf = may_nominate_for(rights(request))
    if not behalf:
        return render(request, "exclusions/nobody_chose_you.html")
    form = NominationForm(behalf, request.POST, request.FILES) if request.method == "POST" else NominationForm(behalf)
    case = _nominated(request, form) if form.is_bound and form.is_valid() else None
    if case is not None:
        messages.success(request, f"{case.reference} is nominated.")
        return redirect("case", number=case.pk)
    form.say_what_browsers_forget()
    return render(request, "exclusions/nominate.html", {"form": form}, status=400 if form.errors else 200)


def _nominated(request: HttpRequest, form: NominationForm) -> Case | None:
    """The new case; ``None`` with an error at its field."""
    scheme, _ = form.behalf_of()
    if scheme.pk in rights(request).co_ordinates:
        _find_known(form, scheme)
    elif form.cleaned_data.get("reference"):
        form.add_error("reference", f"Only a co-ordinator of {scheme.name} goes by a reference. Describe the person.")
    if form.errors:
        return None
    typed = form.cleaned_data
    try:
        taken = take_in(typed["photograph"].read()) if typed["photograph"] else None
        with acting(request) as (actor, mine):
            if form.behalf_of() not in may_nominate_for(mine):
                raise Http404
            # Elsewhere they are a member's contact, who is told nothing of the register.
            known = _known(form, scheme) if scheme.pk in mine.co_ordinates else None
            if known is None and (form.same_as() or typed.get("reference")):
                # Erased since the form was read: now it says so.
                _find_known(form, scheme)
                return None
            whom = known or form.person()
            case = nominate(actor, mine, form.behalf_of(), whom, form.nomination())
            if taken is not None:
                source, taken_on = typed["photograph_source"], typed["photograph_taken_on"]
                add_photograph(actor, case.individual, taken, source=source, taken_on=taken_on)
    except PhotographRefusedError as e:
        form.add_error("photograph", str(e))
    except OSError as e:
        logger.warning("a photograph could not be stored: %s", e)
        form.add_error("photograph", "It could not be stored. Nominate without it, and tell the office’s engineer.")
    else:
        return case
    return None


def case_context(mine: Rights, case: Case) -> dict[str, Any]:
    """What the page of a case shows to a person."""
    mover = mover_of(mine, case)
    facts, covered = acts.facts(case), acts.covered(case)
    is_stale = reach.is_stale(facts.state, case.paper_digest, covered)
    first = next_move(facts, mover, is_stale=is_stale)
    steps: list[Step] = list(case.steps.select_related("account"))
    open_to = life.moves_open_to(facts, mover)
    is_co_ordinator = "co-ordinator" in mover.roles
    ballot = case.ballots.first()
    return {
        "case": case,
        "individual": case.individual if may_see_person(mine, case) else None,
        "photograph": shown_photograph(mine, case),
        "photographs": case.individual.photographs.count(),
        "is_minor": facts.is_minor,
        "is_co_ordinator": is_co_ordinator,
        "is_erased": is_erased(case),
        "first": life.MOVES[first] if first else None,
        "moves": [(one, one.name in GRAVE) for one in open_to if one.name != first],
        "line": line.draw(
            case.state,  # type: ignore[arg-type]  # the field's choices are its values
            [(step.move, step.at) for step in steps],
            f"{case.last_on.day} {case.last_on:%b %Y}" if case.last_on else "",
        ),
        "in_shops": in_shops(mine, case),
        "steps": steps,
        "ballot": ballot,
        "ballots": case.ballots.all(),
        "papers": case.notices.all(),
        "breaches": breaches_visible(mine).filter(case=case)[:ROWS_PER_PAGE],
        "may_print": bool(mover.roles & {"co-ordinator", "pcso"}),
        "is_stale": is_stale,
        "covered": Premises.objects.filter(pk__in=covered).order_by("name") if case.scope == "listed" else (),
        "waits_for": "another co-ordinator, who hears the appeal: you nominated or checked it"
        if facts.has_open_appeal and mover.another_hears and life.is_own(facts, mover)
        else _waits_for(case, mine, ballot.outcome if ballot is not None else None, is_stale=is_stale),
        "overdue_until": waiting.last_day_to_act(case) if waiting.is_overdue(case, timezone.localdate()) else None,
        "register_off": why_off(case.scheme) if is_co_ordinator and case.state == "decided" else None,
    }


def waits_for_co_ordinator() -> models.Q:
    """Of cases: a step of the co-ordinator's is next."""
    return models.Q(state__in=_WAITING) | models.Q(has_open_appeal=True)


def waiting_first(found: QuerySet[Case]) -> QuerySet[Case]:
    """In the order of the list: what waits for the co-ordinator, what waits for members, the rest; the newest first."""
    ranks = [When(has_open_appeal=True, then=Value(0))]
    ranks += [When(state=state, then=Value(rank)) for rank, state in enumerate(_WAITING)]
    ranks += [When(state="voting", then=Value(len(_WAITING))), When(state="served", then=Value(len(_WAITING) + 1))]
    rank = models.Case(*ranks, default=Value(len(_WAITING) + 2), output_field=models.IntegerField())
    return found.annotate(rank=rank).order_by("rank", "-nominated_at", "-pk").select_related(None)


def _waits_for(case: Case, mine: Rights, last_outcome: str | None, *, is_stale: bool) -> str:
    """In words, and until when; empty = nothing. ``last_outcome``: of the newest vote on the case."""
    waits_for, last = _waits_for_whom(case, mine, last_outcome, is_stale=is_stale), waiting.last_day_to_act(case)
    if last is None or case.has_open_appeal:
        return waits_for
    word = "overdue, lapses" if waiting.is_overdue(case, timezone.localdate()) else "lapses"
    return f"{waits_for} ({word} after {last.day} {last:%b %Y})"


def _waits_for_whom(case: Case, mine: Rights, last_outcome: str | None, *, is_stale: bool) -> str:
    if case.state in life.STANDING and acts.is_minor(case.individual) and case.minor_approved_by_id is None:
        return "a second co-ordinator’s approval: the person is under 18"
    if case.has_open_appeal:
        return "the outcome of the appeal"
    if case.state == "nominated" and case.scheme_id not in mine.co_ordinates:
        return "the co-ordinator’s check"
    if case.state == "checked" and case.scheme_id not in mine.co_ordinates:
        return "the members’ vote"
    if case.state == "checked" and last_outcome == "leave-unfinished":
        return "a new vote: the meeting’s was not finished"
    is_due = is_stale and case.scheme_id in mine.co_ordinates
    return "a new version of its notice" if is_due else _WAITS_FOR.get(case.state, "")


def _find_known(form: NominationForm, scheme: Scheme) -> None:
    """Let the co-ordinator choose whom of the register they mean, with an error until they have."""
    reference = form.cleaned_data.get("reference", "")
    if reference:
        if _known(form, scheme) is None:
            form.add_error("reference", f"Nobody in {scheme.name} has this reference.")
        return
    person = form.person()
    form.ask_who(likely(scheme, (person.name, person.also_known_as), person.born_on), "Somebody else: a new person")
    if "same_as" in form.fields:
        chosen = form.data.get("same_as", "")
        try:
            form.cleaned_data["same_as"] = form.fields["same_as"].clean(chosen)
        except ValidationError as e:
            form.add_error("same_as", e)


def _known(form: NominationForm, scheme: Scheme) -> Individual | None:
    """Whom of the scheme's register the co-ordinator has named."""
    known = Individual.objects.filter(scheme=scheme, erased_at=None).select_related("scheme")
    reference = form.cleaned_data.get("reference", "").upper()
    if reference:
        slug, _, number = reference.rpartition("-")
        is_number = number.isascii() and number.isdigit() and len(number) <= 9  # noqa: PLR2004 - no column holds more
        if slug != scheme.slug.upper() or not is_number:
            return None
        # Also by the number of a row that turned out to be the same person.
        return known.filter(Q(number=int(number)) | Q(merged__number=int(number))).first()
    return known.filter(pk=form.same_as()).first() if form.same_as() else None
