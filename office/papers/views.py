"""Papers to print."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, person, rights
from office.accounts.models import Scheme
from office.audit.journal import record
from office.exclusions.due import settled
from office.papers.asking import NoPdfError, pdf_of
from office.papers.meetings import meeting_paper
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
    back = {"back": reverse("case", kwargs={"number": notice.case_id}), "back_to": notice.case.reference}
    try:
        paper = paper_of(notice, is_pocket_size=size == "pocket")
        why_not = why_not_print(paper)
        if why_not:
            return render(request, "papers/no_paper.html", {**back, "why_not": why_not}, status=409)
        data = pdf_of(paper, settings.PAPERS_SOCKET)
    except NoPdfError as e:
        return render(request, "papers/no_paper.html", {**back, "fault": e}, status=503)
    about, version = paper.reference, notice.version
    record(person(request), "notice.printed", notice.case, individual=about, version=version, size=size)
    return pdf_response(data, f"{about}-version-{version}{'-pocket' if size == 'pocket' else ''}")


@for_roles("co-ordinator")
@settled
@require_GET
def meeting_pdf(request: HttpRequest, scheme: str) -> HttpResponse:
    """The cases that today's meeting of a scheme decides on, without who they are about."""
    own = get_object_or_404(Scheme, slug=scheme, pk__in=rights(request).co_ordinates)
    back = {"back": reverse("meeting"), "back_to": "today’s meeting"}
    paper = meeting_paper(own, timezone.localdate())
    if paper is None:
        return render(
            request, "papers/no_paper.html", {**back, "why_not": "No case waits for a vote at a meeting."}, status=409
        )
    try:
        data = pdf_of(paper, settings.PAPERS_SOCKET)
    except NoPdfError as e:
        return render(request, "papers/no_paper.html", {**back, "fault": e}, status=503)
    record(person(request), "meeting-list.printed", own, cases=[one.number for one in paper.cases])
    return pdf_response(data, f"{own.slug}-meeting-{paper.printed_on.isoformat()}")


def pdf_response(data: bytes, name: str) -> HttpResponse:
    """A PDF to keep as a file of this name, which nothing else keeps."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.pdf"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(data, content_type="application/pdf", headers=headers)
