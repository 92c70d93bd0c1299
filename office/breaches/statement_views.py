"""The page on which a statement for the police is drafted: for co-ordinators and police, second factor again."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from office.accounts.access import for_roles, person, rights
from office.accounts.forms import PlainForm
from office.accounts.second_factor import require_recent_second_factor
from office.audit.journal import record
from office.breaches.evidence import facts_of
from office.breaches.models import CRIME_REFERENCE_CHARS_MAX, Breach
from office.breaches.reporters import reporter_of
from office.breaches.rules import ROLES
from office.breaches.scope import identity_of, one_breach, shown_photograph
from office.breaches.statements import WITNESS_TITLES, Maker, statement
from office.exclusions.fields import LineField
from office.papers.asking import NoPdfError, pdf_of
from office.papers.views import pdf_response

_NAME_CHARS_MAX = 120
_WHY_NOT = "Name and photograph are not shown to you now, so no statement can be made. Ask the co-ordinator."
guard = for_roles(*ROLES)


class StatementForm(PlainForm):
    """Whose statement it is to be."""

    witness = forms.ChoiceField(
        label="Whose statement",
        choices=list(WITNESS_TITLES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whose statement it is to be."},
    )
    name = LineField("Their name", _NAME_CHARS_MAX, help_text="Empty = a line to write on.")
    occupation = LineField("Their occupation", _NAME_CHARS_MAX, help_text="Empty = a line to write on.")
    crime_reference = LineField(
        "Crime reference", CRIME_REFERENCE_CHARS_MAX, help_text="The police’s, once there is one."
    )


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def breach_statement(request: HttpRequest, number: int) -> HttpResponseBase:
    """A draft as a PDF, unsigned. Who made it is in the audit."""
    breach = one_breach(request, number)
    individual = identity_of(rights(request), breach)
    back = {"back": reverse("breach", args=[number]), "back_to": "the breach"}
    if individual is None:
        return render(request, "papers/no_paper.html", {**back, "why_not": _WHY_NOT}, status=409)
    form = StatementForm(request.POST if request.method == "POST" else None, initial=_first(breach))
    if not (form.is_bound and form.is_valid()):
        context = {"breach": breach, "form": form}
        return render(request, "breaches/statement.html", context, status=400 if form.errors else 200)
    typed = form.cleaned_data
    maker = Maker(
        witness=typed["witness"],
        name=typed["name"],
        occupation=typed["occupation"],
        crime_reference=typed["crime_reference"],
        made_by=person(request).name,
        made_on=timezone.localdate(),
    )
    facts = facts_of(breach, individual, shown_photograph(individual))
    try:
        data = pdf_of(statement(facts, maker), settings.PAPERS_SOCKET)
    except NoPdfError as e:
        return render(request, "papers/no_paper.html", {**back, "fault": e}, status=503)
    record(person(request), "statement.made", breach, individual=individual.reference, witness=maker.witness)
    return pdf_response(data, f"{individual.reference}-statement-{breach.pk}")


def _first(breach: Breach) -> dict[str, str]:
    """What is known already."""
    informed = breach.actions.exclude(crime_reference="").last()
    name = reporter_of(breach)
    return {
        "witness": "reporter",
        "name": "" if name.startswith("member of staff ") else name,
        "crime_reference": "" if informed is None else informed.crime_reference,
    }
