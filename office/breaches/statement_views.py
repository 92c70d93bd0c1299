"""The page on which a statement for the police is drafted: for co-ordinators and police, second factor again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.forms import PlainForm
from office.accounts.second_factor import require_recent_second_factor
from office.audit.journal import record
from office.breaches.copies import contacts_for, keep_copy, why_no_copy
from office.breaches.evidence import facts_of
from office.breaches.models import CRIME_REFERENCE_CHARS_MAX, Breach
from office.breaches.reporters import reporter_of
from office.breaches.rules import COPY_KEPT, ROLES
from office.breaches.scope import breaches_visible, identity_of, one_breach, shown_photograph
from office.breaches.statements import WITNESS_TITLES, Maker, statement
from office.exclusions.fields import LineField, LinesField
from office.papers.asking import NoPdfError, pdf_of
from office.papers.views import pdf_response

_NAME_CHARS_MAX = 120
_WORDS_CHARS_MAX = 2_000
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
    words = LinesField(
        "What they say, in their own words",
        _WORDS_CHARS_MAX,
        rows=6,
        help_text="For the reporter’s statement. Each line is a paragraph. Empty = lines to write on.",
    )
    copy = forms.BooleanField(
        required=False,
        initial=True,
        help_text="Of the reporter’s statement. Not ticked: a copy that lies there is taken back.",
    )

    def __init__(
        self,
        breach: Breach,
        contacts: Iterable[str],
        data: QueryDict | None = None,
        initial: dict[str, str] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        if breach.kind != "incident":
            del self.fields["words"]
        names = ", ".join(contacts)
        if names:
            self.fields["copy"].label = f"{names} can read a copy at the office for {COPY_KEPT.days} days"
        else:
            del self.fields["copy"]

    def clean(self) -> dict[str, Any]:
        """Nobody else's statement bears the reporter's words."""
        typed = super().clean() or self.cleaned_data
        if typed.get("words") and typed.get("witness") == "producer":
            self.add_error("words", "Only the reporter’s statement takes their words. Choose it above, or empty this.")
        return typed


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def breach_statement(request: HttpRequest, number: int) -> HttpResponseBase:
    """A draft as a PDF, unsigned. Who made it is in the audit."""
    breach = one_breach(request, number)
    individual = identity_of(rights(request), breach)
    back = {"back": reverse("breach", args=[number]), "back_to": f"the {breach.kind}"}
    if individual is None and breach.kind != "incident":
        return render(request, "papers/no_paper.html", {**back, "why_not": _WHY_NOT}, status=409)
    why_none = why_no_copy(breach)
    contacts = [] if why_none else [one.name for one in contacts_for(breach)]
    form = StatementForm(breach, contacts, request.POST if request.method == "POST" else None, _first(breach))
    if not (form.is_bound and form.is_valid()):
        context = {"breach": breach, "form": form, "why_no_copy": why_none}
        return render(request, "breaches/statement.html", context, status=400 if form.errors else 200)
    typed = form.cleaned_data
    maker = Maker(
        witness=typed["witness"],
        name=typed["name"],
        occupation=typed["occupation"],
        crime_reference=typed["crime_reference"],
        made_by=person(request).name,
        made_on=timezone.localdate(),
        words=typed.get("words", ""),
    )
    photograph = None if individual is None else shown_photograph(individual)
    paper = statement(facts_of(breach, individual, photograph), maker)
    try:
        data = pdf_of(paper, settings.PAPERS_SOCKET)
    except NoPdfError as e:
        return render(request, "papers/no_paper.html", {**back, "fault": e}, status=503)
    with acting(request) as (actor, mine):
        still = breaches_visible(mine).filter(pk=number).first()
        if still is None:
            raise Http404
        record(actor, "statement.made", still, individual=breach.reference, witness=maker.witness)
        if maker.witness == "reporter":
            keep_copy(actor, mine, still, paper if typed.get("copy") else None)
    return pdf_response(data, f"{paper.reference}-statement-{breach.pk}")


def _first(breach: Breach) -> dict[str, str]:
    """What is known already."""
    informed = breach.actions.exclude(crime_reference="").last()
    name = reporter_of(breach)
    return {
        "witness": "reporter",
        "name": "" if name.startswith("member of staff ") else name,
        "crime_reference": "" if informed is None else informed.crime_reference,
    }
