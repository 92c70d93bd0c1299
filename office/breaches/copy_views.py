"""The copy of a reporter's statement, for the contact of the shop. Each look at it is in the audit."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, person, rights
from office.accounts.second_factor import require_recent_second_factor
from office.audit.journal import record
from office.breaches.copies import copies_visible, paper_of
from office.papers.asking import NoPdfError, pdf_of
from office.papers.views import pdf_response


@for_roles("members-contact")
@require_recent_second_factor
@require_GET
def statement_copy(request: HttpRequest, number: int) -> HttpResponseBase:
    """As a PDF, word for word as it was made."""
    found = next((one for one in copies_visible(rights(request)) if one.pk == number), None)
    if found is None:
        record(person(request), "statement-copy.not-found", f"statement copy address {number}", number=number)
        raise Http404
    breach, paper = found.breach, paper_of(found)
    try:
        data = pdf_of(paper, settings.PAPERS_SOCKET)
    except NoPdfError as e:
        back = {"back": reverse("premises-list"), "back_to": "the premises"}
        return render(request, "papers/no_paper.html", {**back, "fault": e}, status=503)
    record(person(request), "statement-copy.read", breach, individual=breach.reference)
    return pdf_response(data, f"{paper.reference}-copy-of-statement-{breach.pk}")
