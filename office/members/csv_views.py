"""Premises in and out as CSV files."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.models import Account
from office.accounts.second_factor import require_recent_second_factor
from office.audit.journal import record
from office.members.csv_cells import FILE_BYTES_MAX, CsvRefusedError, Table, read_table, write_table
from office.members.forms import UploadForm
from office.members.import_rules import cells_of, headings, plan_import
from office.members.importing import PlanChangedError, import_table, plan_digest
from office.members.listing import filtered_premises, read_filters
from office.members.models import PendingImport
from office.members.scope import existing_of, known_of, premises_of, schemes_of
from office.members.units import units

EXPORTS_PER_HOUR: Final = 20
PENDING_FOR: Final = timedelta(hours=1)
"""How long an uploaded file is kept until it is confirmed."""
_CONTACT_COLUMNS_MIN: Final = 2
"""Of an export, so that there is room to add some."""
ROWS_SHOWN_MAX: Final = 500
"""Of each kind, in a preview."""


@for_roles("co-ordinator")
@require_recent_second_factor
@require_GET
def premises_export(request: HttpRequest) -> HttpResponseBase:
    """The premises of a list's filters, in the form that an import reads."""
    own = rights(request).co_ordinates
    if not _may_export(person(request)):
        messages.error(request, f"You have exported {EXPORTS_PER_HOUR} times within an hour. Try again in an hour.")
        return redirect("premises-list")
    schemes = schemes_of(own)
    found = filtered_premises(premises_of(own), read_filters(request.GET), schemes, units())
    existing = existing_of(own, found)
    count = max((len(one.facts.contacts) for one in existing.values()), default=0)
    columns = max(count, _CONTACT_COLUMNS_MIN)
    rows = (cells_of(one, schemes, columns) for one in existing.values())
    data = write_table(headings(columns), rows)
    record(person(request), "premises.exported", "a CSV file", schemes=own, rows=len(existing))
    day = timezone.localdate().isoformat()
    return HttpResponse(
        data,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="premises-{day}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def import_upload(request: HttpRequest) -> HttpResponseBase:
    """Choose a file; nothing is changed yet."""
    forget_uploads()
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > FILE_BYTES_MAX:
            form.add_error("file", f"The file has {file.size / 1e6:.1f} MB; 10 MB is the most. Split it.")
        else:
            data = file.read()
            try:
                read_table(data)
            except CsvRefusedError as e:
                form.add_error("file", str(e))
            else:
                return redirect("premises-import-preview", token=_keep(person(request), data))
    status = 400 if form.errors else 200
    return render(request, "members/import.html", {"form": form, "columns": headings(1)}, status=status)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def import_preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """What the file would change; POST does it, if that is still the same."""
    own = rights(request).co_ordinates
    table = _kept(person(request), token)
    has_changed = False
    if request.method == "POST":
        try:
            with acting(request) as (actor, mine):
                done = import_table(actor, own & mine.co_ordinates, table, request.POST.get("plan", ""))
        except PlanChangedError:
            has_changed = True
        else:
            PendingImport.objects.filter(account=person(request)).delete()
            messages.success(request, f"Imported: {len(done.new)} new premises, {len(done.changed)} changed.")
            return redirect("premises-list")
    plan = plan_import(table, known_of(own))
    context = {
        "plan": plan,
        "digest": plan_digest(plan),
        "has_changed": has_changed,
        "problems": plan.problems[:ROWS_SHOWN_MAX],
        "new": plan.new[:ROWS_SHOWN_MAX],
        "changed": plan.changed[:ROWS_SHOWN_MAX],
        "shown_max": ROWS_SHOWN_MAX,
        "may_import": not plan.problems and bool(plan.new or plan.changed),
    }
    return render(request, "members/import_preview.html", context, status=409 if has_changed else 200)


def forget_uploads() -> None:
    """Delete the files that were never confirmed: they name people."""
    old = PendingImport.objects.filter(uploaded_at__lt=timezone.now() - PENDING_FOR)
    if old.exists():
        old.delete()


def _may_export(account: Account) -> bool:
    key = f"premises-exports-{account.pk}"
    cache.add(key, 0, timeout=3_600)
    return cache.incr(key) <= EXPORTS_PER_HOUR


def _keep(account: Account, data: bytes) -> str:
    token = secrets.token_hex(16)
    PendingImport.objects.filter(account=account).delete()
    PendingImport.objects.create(account=account, token=token, data=data)
    return token


def _kept(account: Account, token: str) -> Table:
    since = timezone.now() - PENDING_FOR
    pending = PendingImport.objects.filter(account=account, token=token, uploaded_at__gte=since).first()
    if pending is None:
        raise Http404
    return read_table(bytes(pending.data))
