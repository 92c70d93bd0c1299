"""Pages of the schemes' terms and of the documents without which a register stays off. For co-ordinators."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Scheme
from office.accounts.second_factor import require_recent_second_factor
from office.exclusions import terms
from office.exclusions.rules.law import DOCUMENT_TITLES
from office.exclusions.terms_forms import DocumentForm, TermsForm

guard = for_roles("co-ordinator")


@guard
@require_GET
def all_terms(request: HttpRequest) -> HttpResponse:
    """Each of one's schemes: its terms, its documents, and whether its register is on."""
    rows = []
    for scheme in Scheme.objects.filter(pk__in=rights(request).co_ordinates):
        newest = terms.newest_documents(scheme)
        rows.append(
            {
                "scheme": scheme,
                "terms": terms.terms_of(scheme),
                "why_off": terms.why_off(scheme),
                "documents": [(title, newest.get(kind)) for kind, title in DOCUMENT_TITLES.items()],
                "to_review": terms.reviews_to_remind(scheme),
            }
        )
    return render(request, "exclusions/all_terms.html", {"rows": rows})


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def terms_edit(request: HttpRequest, scheme: str) -> HttpResponseBase:
    """Settle a scheme's terms."""
    own = _own(request, scheme)
    form = TermsForm(request.POST) if request.method == "POST" else TermsForm.of(terms.terms_of(own))
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            if own.number not in mine.co_ordinates:
                raise Http404
            terms.set_terms(actor, own, form.cleaned_data)
        messages.success(request, f"The terms of {own} were saved.")
        return redirect("terms")
    context = {"form": form, "scheme": own}
    return render(request, "exclusions/terms_edit.html", context, status=400 if form.errors else 200)


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def document_record(request: HttpRequest, scheme: str) -> HttpResponseBase:
    """Record that a document is in force, or was reviewed."""
    own = _own(request, scheme)
    if request.method == "POST":
        form = DocumentForm(request.POST)
    else:
        form = DocumentForm(initial={"kind": request.GET.get("kind", "")})
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            if own.number not in mine.co_ordinates:
                raise Http404
            document = terms.record_document(actor, own, form.cleaned_data["kind"], form.cleaned_data["version"])
        messages.success(request, f"{document} was recorded. Its review is due on {document.review_due:%-d %b %Y}.")
        return redirect("terms")
    context = {"form": form, "scheme": own}
    return render(request, "exclusions/document_record.html", context, status=400 if form.errors else 200)


def _own(request: HttpRequest, slug: str) -> Scheme:
    return get_object_or_404(Scheme, slug=slug, pk__in=rights(request).co_ordinates)
