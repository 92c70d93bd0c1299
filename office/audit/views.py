"""Pages on which co-ordinators read who did what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, person, rights
from office.accounts.models import Scheme
from office.accounts.second_factor import require_recent_second_factor
from office.audit import rules
from office.audit.journal import head, record
from office.audit.models import AuditRow
from office.members.csv_cells import write_table

PAGE_ROWS: Final = 50
EXPORTED: Final = "audit.exported"
HEADINGS: Final = (
    "Number",
    "Time (UTC)",
    "Who",
    "Account",
    "Role",
    "What",
    "Of what",
    "Name",
    "Schemes",
    "Details",
    "Digest",
)
guard = for_roles("co-ordinator")


class FilterForm(forms.Form):
    """Filters, as words in the address."""

    q = forms.CharField(label="Name or word", required=False, max_length=80)
    action = forms.ChoiceField(label="What was done", required=False)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, data: object, actions: Iterable[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        titles = sorted((rules.action_text(action), action) for action in actions)
        field = self.fields["action"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Anything"), *((action, title) for title, action in titles)]

    def clean_since(self) -> datetime | None:
        """Midnight, London time."""
        return _midnight(self.cleaned_data["since"])

    def clean_until(self) -> datetime | None:
        """The midnight after that day."""
        found = _midnight(self.cleaned_data["until"])
        return found + timedelta(days=1) if found else None


def _midnight(day: object) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if isinstance(day, date) else None


def seen_by(own: Iterable[int]) -> QuerySet[AuditRow]:
    """The rows that a co-ordinator of these schemes may read; :func:`office.audit.rules.may_read` as a query."""
    mine = Q(schemes="")
    for number in own:
        mine |= Q(schemes__contains=f" {number} ")
    return AuditRow.objects.filter(mine)


def _filtered(request: HttpRequest) -> tuple[FilterForm, QuerySet[AuditRow]]:
    rows = seen_by(rights(request).co_ordinates)
    actions = rows.order_by().values_list("action", flat=True).distinct()
    form = FilterForm(request.GET, actions)
    if not form.is_valid():
        return form, rows.none()
    given = form.cleaned_data
    if given["q"]:
        word = given["q"]
        rows = rows.filter(Q(actor_name__icontains=word) | Q(subject_name__icontains=word) | Q(details__icontains=word))
    if given["action"]:
        rows = rows.filter(action=given["action"])
    if given["since"]:
        rows = rows.filter(at__gte=given["since"])
    if given["until"]:
        rows = rows.filter(at__lt=given["until"])
    return form, rows


def _query(request: HttpRequest) -> str:
    return urlencode({name: request.GET[name] for name in FilterForm.base_fields if request.GET.get(name)})


@guard
@require_GET
def rows_page(request: HttpRequest) -> HttpResponse:
    """Search and list."""
    form, found = _filtered(request)
    page = Paginator(found, PAGE_ROWS).get_page(request.GET.get("page"))
    rows = [
        {
            "row": row,
            "what": rules.action_text(row.action),
            "role": rules.role_text(row.actor_role, rights(request).co_ordinates),
            "details": list(rules.detail_lines(row.details)),
        }
        for row in page
    ]
    context = {"form": form, "page": page, "rows": rows, "query": _query(request)}
    return render(request, "audit/rows.html", context, status=200 if form.is_valid() else 400)


@guard
@require_recent_second_factor
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """What the filters show, as CSV. Recorded itself."""
    actor = person(request)
    form, found = _filtered(request)
    # Without the row of this export.
    found = found.filter(sequence__lte=head().sequence)
    count = found.count()
    if not form.is_valid() or count > rules.EXPORT_ROWS_MAX:
        text = f"{count:,} rows are more than a file may hold ({rules.EXPORT_ROWS_MAX:,}). Choose a shorter time."
        page = {"form": form, "rows": (), "query": _query(request), "refusal": text if form.is_valid() else ""}
        return render(request, "audit/rows.html", page, status=400)
    if not _may_export_now(actor.pk):
        text = f"You have exported {rules.EXPORTS_AN_HOUR} times within an hour. Please wait, then try again."
        page = {"form": form, "rows": (), "query": _query(request), "refusal": text}
        return render(request, "audit/rows.html", page, status=429)
    # Not the filters: whoever reads this row need not see what was looked for in another scheme.
    record(actor, EXPORTED, schemes=rights(request).co_ordinates, rows=count)
    names = dict(Scheme.objects.values_list("number", "name"))
    own = rights(request).co_ordinates
    data = write_table(HEADINGS, (_cells(row, names, own) for row in found.iterator(chunk_size=2_000)))
    response = HttpResponse(data, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="watchlink-audit.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _may_export_now(account: int) -> bool:
    since = timezone.now() - timedelta(hours=1)
    exports = AuditRow.objects.filter(actor_account=account, action=EXPORTED, at__gt=since)
    return exports.count() < rules.EXPORTS_AN_HOUR


def _cells(row: AuditRow, names: dict[int, str], own: frozenset[int]) -> tuple[str, ...]:
    schemes = (names.get(number, str(number)) for number in map(int, row.schemes.split()) if number in own)
    return (
        str(row.sequence),
        row.at.astimezone(tz=UTC).isoformat(timespec="seconds"),
        row.actor_name,
        str(row.actor_account),
        rules.role_text(row.actor_role, own),
        rules.action_text(row.action),
        row.subject_kind,
        row.subject_name,
        ", ".join(schemes) or "Whole town",
        "; ".join(rules.detail_lines(row.details)),
        row.digest,
    )
