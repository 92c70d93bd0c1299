"""Pages of breaches: the list, one breach, its face, and what was done about it. For co-ordinators and police."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.rules import Rights
from office.audit.journal import Entry, record, record_many
from office.breaches.acts import ActionRefusedError, add_action
from office.breaches.copies import readable
from office.breaches.forms import ActionForm
from office.breaches.models import Breach, StatementCopy
from office.breaches.reporters import reporter_of
from office.breaches.rules import ROLES, STATE_TITLES, is_over
from office.breaches.scope import breaches_visible, identities_of, identity_of, one_breach, shown_photograph
from office.exclusions.scope import cases_visible
from office.people.intake_terms import Size
from office.people.photographs import photograph_response

ROWS_PER_PAGE: Final = 50
_SEARCH_CHARS_MAX: Final = 100
_SIZES: Final[dict[str, Size]] = {"small": "small", "portrait": "portrait"}
guard = for_roles(*ROLES)


@guard
@require_GET
def breaches_list(request: HttpRequest) -> HttpResponse:
    """What nobody has dealt with first, then what is in hand, then the rest; the newest first."""
    mine, state = rights(request), request.GET.get("state", "")
    chosen = state if state in STATE_TITLES else ""
    sought = " ".join(request.GET.get("q", "").split())[:_SEARCH_CHARS_MAX]
    found = breaches_visible(mine)
    if chosen:
        found = found.filter(state=chosen)
    if sought:
        found = found.filter(
            models.Q(reference__icontains=sought)
            | models.Q(place__icontains=sought)
            | models.Q(incident__icontains=sought)
        )
    ranks = [models.When(state=one, then=models.Value(rank)) for rank, one in enumerate(STATE_TITLES)]
    rank = models.Case(*ranks, default=models.Value(len(ranks)), output_field=models.IntegerField())
    found = found.annotate(rank=rank).order_by("rank", "-at", "-pk")
    page = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page", "1"))
    context = {
        "page": page,
        "rows": list(zip(page.object_list, identities_of(mine, page.object_list), strict=True)),
        "state": chosen,
        "states": list(STATE_TITLES.items()),
        "sought": sought,
        "query": urlencode({name: text for name, text in (("q", sought), ("state", chosen)) if text}),
    }
    _tell(request, page.object_list)
    return render(request, "breaches/breaches.html", context)


@guard
@require_GET
def breach_page(request: HttpRequest, number: int) -> HttpResponse:
    """Who, where, when, whether they left, by whom it was reported, and what was done."""
    breach, mine = one_breach(request, number), rights(request)
    record(person(request), "breach.viewed", breach, individual=breach.reference)
    return render(request, "breaches/breach.html", _context(mine, breach, ActionForm(mine, breach)))


@guard
@require_POST
def breach_act(request: HttpRequest, number: int) -> HttpResponseBase:
    """Write down what was done."""
    breach = one_breach(request, number)
    form = ActionForm(rights(request), breach, request.POST)
    status = 400
    if form.is_valid():
        typed = form.cleaned_data
        try:
            with acting(request) as (actor, mine):
                now = breaches_visible(mine).filter(pk=number).first()
                if now is None:
                    raise Http404
                add_action(
                    actor,
                    mine,
                    now,
                    typed["kind"],
                    version=typed["version"],
                    crime_reference=typed["crime_reference"],
                    extended=typed.get("extended"),
                    closes=typed["closes"],
                )
        except ActionRefusedError as e:
            form.add_error(None, str(e))
            status = 409
        else:
            is_told = typed["closes"] and breach.kind != "incident"
            messages.success(request, "Written down. The shop is told." if is_told else "Written down.")
            return redirect("breach", number=number)
    now = one_breach(request, number)
    again = request.POST.copy()
    again["version"] = str(now.version)
    form.data = again
    return render(request, "breaches/breach.html", _context(rights(request), now, form), status=status)


@guard
@require_GET
def breach_photograph(request: HttpRequest, number: int, size: str) -> HttpResponse:
    """The face of whom a breach is about, marked for whoever looks."""
    breach = one_breach(request, number)
    individual = identity_of(rights(request), breach)
    photograph = None if individual is None else shown_photograph(individual)
    if photograph is None or size not in _SIZES:
        raise Http404
    return photograph_response(request, photograph, _SIZES[size])


def _tell(request: HttpRequest, breaches: Iterable[Breach]) -> None:
    """Keep in the audit of each scheme who of its register was on the page: references alone."""
    references: dict[int, set[str]] = {}
    for one in breaches:
        references.setdefault(one.scheme_id, set()).update(filter(None, [one.reference]))
    # A page with nobody on it was asked for, too.
    told = references or {number: set() for number in rights(request).schemes(*ROLES)}
    record_many(
        person(request),
        [
            Entry("breaches.viewed", "list of breaches", {"individuals": sorted(names)}, [number])
            for number, names in sorted(told.items())
        ],
    )


def _context(mine: Rights, breach: Breach, form: ActionForm) -> dict[str, Any]:
    individual = identity_of(mine, breach)
    office = settings.OFFICE
    case = breach.case
    return {
        "breach": breach,
        "individual": individual,
        "photograph": None if individual is None else shown_photograph(individual),
        "reporter": reporter_of(breach),
        "copy": next(iter(readable(timezone.now(), StatementCopy.objects.filter(breach=breach))), None),
        "actions": breach.actions.select_related("extended__scheme"),
        "form": form,
        "central_url": office.central_url if office is not None and breach.incident else "",
        "may_open_case": case is not None and cases_visible(mine).filter(pk=case.pk).exists(),
        "is_over": case is not None and is_over(case.state, case.last_on, timezone.localdate()),  # type: ignore[arg-type]  # the field's choices
        "others": breaches_visible(mine).filter(case__individual=individual).exclude(pk=breach.pk)[:ROWS_PER_PAGE]
        if individual is not None
        else [],
    }
