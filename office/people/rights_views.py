"""Pages of what people ask about themselves: what is due, whom it is about, and what is done. For co-ordinators.

What is shown of a person begins at a request in which it was established who they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.forms import PlainForm
from office.accounts.models import Account, Scheme
from office.accounts.rules import Rights
from office.accounts.second_factor import require_recent_second_factor
from office.audit.journal import record
from office.exclusions.acts import ChangedMeanwhileError, MoveRefusedError
from office.papers.asking import NoPdfError, pdf_of
from office.papers.held import held_paper
from office.papers.views import pdf_response
from office.people import retention, rights_export, rules
from office.people import rights as acts
from office.people.models import Individual, RightsRequest
from office.people.rights_forms import CorrectionForm, FindForm, OutcomeForm, ReasonForm, RequestForm

guard = for_roles("co-ordinator")
PAGE_ROWS: Final = 50
CHANGED: Final = "Somebody else has changed this person meanwhile. Look at what is held now, then do it again."
SOMEBODY_ELSE: Final = "Meanwhile this request was found to be about somebody else. Nothing was done."


class _SomebodyElseError(Exception):
    """The page was about another person than the request is now."""


@guard
@require_GET
def due(request: HttpRequest) -> HttpResponse:
    """What people have asked and is not answered, the most urgent first; then what was."""
    today = timezone.localdate()
    found = list(acts.requests_of(rights(request).co_ordinates))
    context = {
        "open": [(one, _is_late(one, today)) for one in found if one.done_on is None],
        "settled": [one for one in reversed(found) if one.done_on is not None][:PAGE_ROWS],
    }
    return render(request, "people/rights.html", context)


@guard
@require_http_methods(["GET", "POST"])
def request_add(request: HttpRequest) -> HttpResponseBase:
    """Record what somebody asks."""
    schemes = Scheme.objects.filter(pk__in=rights(request).co_ordinates)
    sent = request.POST if request.method == "POST" else None
    form = RequestForm(schemes, sent, initial={"received_on": timezone.localdate()})
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        try:
            with acting(request) as (actor, mine):
                scheme = Scheme.objects.filter(pk=int(typed["scheme"]), pk__in=mine.co_ordinates).first()
                if scheme is None:
                    raise Http404
                texts = typed["asked_by"], typed["asked"]
                number = acts.receive(actor, scheme, typed["kind"], typed["received_on"], texts)
        except acts.RefusedError as e:
            form.add_error("received_on", str(e))
        else:
            messages.success(request, "The request was recorded.")
            return redirect("rights-request", number)
    return render(request, "people/request_add.html", {"form": form}, status=400 if form.errors else 200)


@guard
@require_GET
def one_request(request: HttpRequest, number: int) -> HttpResponse:
    """A request: whom it is about, what can be done, what was."""
    return _request_page(request, _asked(request, number))


@guard
@require_POST
def request_acknowledge(request: HttpRequest, number: int) -> HttpResponseBase:
    """The person was told that it arrived."""
    _asked(request, number)
    with acting(request) as (actor, mine):
        acts.acknowledge(actor, _seen(mine, number))
    return redirect("rights-request", number)


@guard
@require_POST
def request_settle(request: HttpRequest, number: int) -> HttpResponseBase:
    """It was answered."""
    form = OutcomeForm(request.POST)
    asked = _asked(request, number)
    if form.is_valid():
        try:
            with acting(request) as (actor, mine):
                acts.settle(actor, _seen(mine, number), form.cleaned_data["outcome"])
        except acts.RefusedError as e:
            form.add_error(None, str(e))
        else:
            messages.success(request, "The request is settled.")
            return redirect("rights-due")
    return _request_page(request, asked, form)


@guard
@require_http_methods(["GET", "POST"])
def request_find(request: HttpRequest, number: int) -> HttpResponseBase:
    """Establish whom of the register it is about: by reference, by name, or by a person comparing photographs."""
    asked = _asked(request, number)
    form = FindForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            try:
                acts.find(actor, _seen(mine, number), form.search())
            except acts.RefusedError as e:
                # Inside, so that the attempt stays in the audit.
                form.add_error(None, str(e))
        if not form.errors:
            return redirect("rights-request", number)
    context = {"form": form, "asked": asked}
    return render(request, "people/request_find.html", context, status=400 if form.errors else 200)


@guard
@require_recent_second_factor
@require_GET
def export_page(request: HttpRequest, number: int) -> HttpResponse:
    """Everything held of the person, to read through and print."""
    held = _exported(request, number, "page")
    return render(request, "people/export.html", {"held": held, "asked": number})


@guard
@require_recent_second_factor
@require_GET
def export_json(request: HttpRequest, number: int) -> HttpResponse:
    """The same for another program."""
    held = _exported(request, number, "json")
    answer = HttpResponse(rights_export.as_json(held), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{held.reference}.json"'
    return answer


@guard
@require_recent_second_factor
@require_GET
def export_pdf(request: HttpRequest, number: int) -> HttpResponse:
    """The same as a PDF, with the face in each photograph."""
    held = _exported(request, number, "pdf")
    try:
        data = pdf_of(held_paper(held, _person(_asked(request, number))), settings.PAPERS_SOCKET)
    except NoPdfError as e:
        context = {"back": reverse("rights-request", args=[number]), "back_to": "the request", "fault": e}
        return render(request, "papers/no_paper.html", context, status=503)
    return pdf_response(data, held.reference)


@guard
@require_http_methods(["GET", "POST"])
def person_correct(request: HttpRequest, number: int) -> HttpResponseBase:
    """Correct what is held."""
    individual = _person(_asked(request, number))
    form = CorrectionForm(request.POST) if request.method == "POST" else CorrectionForm.of(individual)

    def do(actor: Account, _: Rights, asked: RightsRequest) -> str:
        acts.correct(actor, asked, form.cleaned_data["version"], form.correction(), form.cleaned_data["reason"])
        return f"{individual.reference} was corrected."

    return _do(request, number, form, "people/person_correct.html", do)


@guard
@require_http_methods(["GET", "POST"])
def person_restrict(request: HttpRequest, number: int) -> HttpResponseBase:
    """Hide the person's cases from shops while accuracy is contested."""
    form = _reason_form(request, number)

    def do(actor: Account, mine: Rights, asked: RightsRequest) -> str:
        count = acts.restrict(actor, mine, asked, form.cleaned_data["reason"])
        return (
            "The person is hidden from shops." if count else "There is nothing of the person to hide, or it is hidden."
        )

    return _do(request, number, form, "people/person_restrict.html", do)


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def person_erase(request: HttpRequest, number: int) -> HttpResponseBase:
    """Erase the person: asked once more, then at once and for good."""
    individual = _person(_asked(request, number))
    form = _reason_form(request, number)

    def do(actor: Account, mine: Rights, asked: RightsRequest) -> str:
        acts.erase(actor, mine, asked, form.cleaned_data["version"], form.cleaned_data["reason"])
        return f"{individual.reference} is erased. Only the number is left."

    return _do(request, number, form, "people/person_erase.html", do)


@guard
@require_GET
def what_goes(request: HttpRequest) -> HttpResponse:
    """What goes by the schedule, and when."""
    today = timezone.localdate()
    page = Paginator(retention.planned(rights(request).co_ordinates, today), PAGE_ROWS).get_page(
        request.GET.get("page")
    )
    context = {"page": page, "query": "", "today": today, "is_held": retention.is_held(today)}
    return render(request, "people/retention.html", context)


def _do(
    request: HttpRequest,
    number: int,
    form: PlainForm,
    template: str,
    do: Callable[[Account, Rights, RightsRequest], str],
) -> HttpResponseBase:
    """Show a form, or do what it asks for and go back to the request."""
    if form.is_bound and form.is_valid():
        try:
            with acting(request) as (actor, mine):
                said = do(actor, mine, _still_about(form.cleaned_data["individual"], _seen(mine, number)))
        except _SomebodyElseError:
            messages.error(request, SOMEBODY_ELSE)
            return redirect("rights-request", number)
        except ChangedMeanwhileError:
            form.add_error(None, CHANGED)
            # They see what is held now, so what they send next is about that.
            again = request.POST.copy()
            again["version"] = str(_person(_asked(request, number)).version)
            form.data = again
        except (acts.RefusedError, MoveRefusedError) as e:
            form.add_error(None, str(e))
        else:
            messages.success(request, said)
            return redirect("rights-request", number)
    asked = _asked(request, number)
    individual = _person(asked)
    context = {"form": form, "asked": asked, "individual": individual, "standing": acts.standing(individual)}
    return render(request, template, context, status=400 if form.errors else 200)


def _still_about(individual: int, asked: RightsRequest) -> RightsRequest:
    if asked.individual_id != individual:
        raise _SomebodyElseError
    return asked


def _reason_form(request: HttpRequest, number: int) -> ReasonForm:
    if request.method == "POST":
        return ReasonForm(request.POST)
    individual = _person(_asked(request, number))
    return ReasonForm(initial={"individual": individual.pk, "version": individual.version})


def _request_page(request: HttpRequest, asked: RightsRequest, form: OutcomeForm | None = None) -> HttpResponse:
    context = {
        "asked": asked,
        "individual": asked.individual,
        "is_late": _is_late(asked, timezone.localdate()),
        "form": form or OutcomeForm(),
    }
    return render(request, "people/request.html", context, status=400 if form is not None else 200)


def _exported(request: HttpRequest, number: int, form: str) -> rights_export.Held:
    _asked(request, number)
    with acting(request) as (actor, mine):
        individual = _person(_seen(mine, number))
        record(actor, "individual.exported", individual, form=form, request=number, individual=individual.reference)
        return rights_export.held(individual, timezone.now())


def _asked(request: HttpRequest, number: int) -> RightsRequest:
    """A request that exists for the person who is signed in.

    Raises:
        Http404: it does not. Who asked for which number is in the audit, not whether there is such a request.
    """
    found = acts.requests_of(rights(request).co_ordinates).filter(pk=number).first()
    if found is None:
        record(person(request), "rights-request.not-found", f"request address {number}", number=number)
        raise Http404
    return found


def _seen(own: Rights, number: int) -> RightsRequest:
    found = acts.requests_of(own.co_ordinates).filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _person(asked: RightsRequest) -> Individual:
    """Whom it is about; 404 before that is established."""
    if asked.individual is None:
        raise Http404
    return asked.individual


def _is_late(asked: RightsRequest, today: date) -> bool:
    return rules.is_late(
        asked.kind,  # type: ignore[arg-type]  # the field's choices are its values
        asked.due_on,
        today,
        is_acknowledged=asked.acknowledged_on is not None,
        is_done=asked.done_on is not None,
    )
