"""Papers to print."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, person, rights
from office.audit.journal import record
from office.exclusions.due import settled
from office.papers.asking import NoPdfError, pdf_of
from office.papers.notices import notices_visible, paper_of
from office.papers.orders import why_not_print


@for_roles("co-ordinator", "pcso")
@settled
@require_GET
def notice_pdf(request: HttpRequest, number: int) -> HttpResponse:
    """A version of a notice; with ``size=pocket`` as a card. Who printed which is in the audit."""
    notice = notices_visible(rights(request)).filter(pk=number).first()
    if notice is None:
        record(person(request), "notice.not-found", f"notice address {number}", number=number)
        raise Http404
    size = "pocket" if request.GET.get("size") == "pocket" else "A4"
    try:
        paper = paper_of(notice, is_pocket_size=size == "pocket")
        why_not = why_not_print(paper)
        if why_not:
            return render(request, "papers/no_paper.html", {"notice": notice, "why_not": why_not}, status=409)
        data = pdf_of(paper, settings.PAPERS_SOCKET)
    except NoPdfError as e:
        return render(request, "papers/no_paper.html", {"notice": notice, "fault": e}, status=503)
    record(
        person(request), "notice.printed", notice.case, individual=paper.reference, version=notice.version, size=size
    )
    name = f"{paper.reference}-version-{notice.version}{'-pocket' if size == 'pocket' else ''}.pdf"
    return HttpResponse(
        data,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
