"""Pages on which co-ordinators search whom shops have looked at. Each search is itself in the audit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Page, Paginator
from django.forms.utils import flatatt
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, person, rights
from office.accounts.second_factor import require_recent_second_factor
from office.audit import rules
from office.audit.journal import record
from office.audit.models import AuditRow
from office.in_shops.log import Look, Scope, Whom, whom
from office.in_shops.port import NoReportError, report
from office.members.csv_cells import write_table
from office.nodes.reading import PAGE_ROWS, Reported, Search

SEARCHED: Final = "views.searched"
EXPORTED: Final = "views.exported"
HEADINGS: Final = (
    *("Time (UTC)", "Time proven", "Came in (UTC)", "Premises", "Unit", "Number", "Who looked", "What was shown"),
    *("Person", "Case", "Note"),
)
guard = for_roles("co-ordinator")


class LongSelect(forms.Select):
    """As any, in one piece: Django renders a template for each of thousands of shops, which takes seconds."""

    def render(self, name: str, value: object, attrs: Any = None, renderer: object = None) -> SafeString:  # noqa: ANN401, ARG002
        """As Django calls it."""
        chosen = "" if value is None else str(value)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, mark_safe(" selected" if str(key) == chosen else ""), text) for key, text in self.choices),  # noqa: S308
        )
        return format_html(
            '<select name="{}"{}>{}</select>', name, flatatt(self.build_attrs(self.attrs, attrs)), options
        )


class SearchForm(forms.Form):
    """Filters, as words in the address."""

    person = forms.CharField(label="Person or case", required=False, max_length=100)
    premises = forms.ChoiceField(label="Premises", required=False, widget=LongSelect)
    staff = forms.ChoiceField(label="Who looked", required=False, widget=LongSelect)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))
    number = forms.IntegerField(label="View number, on the photograph", required=False, min_value=1, max_value=2**53)

    def __init__(self, data: object, own: frozenset[int], scope: Scope) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self._own = own
        self.fields["person"].widget.attrs["placeholder"] = "HART-0042, or HART case 17"
        self._choose("premises", "Any", scope.shops())
        self._choose("staff", "Anybody", scope.staff())

    def clean_person(self) -> Whom | None:
        """Whom it says."""
        text = self.cleaned_data["person"]
        if not text:
            return None
        found = whom(text, self._own)
        if found is None:
            raise forms.ValidationError("Nobody in your schemes has this reference. Write HART-0042, or HART case 17.")
        return found

    def search(self, scope: Scope) -> Search:
        """What a valid form asks for."""
        given = self.cleaned_data
        return scope.search(
            given["person"],
            int(given["premises"] or 0),
            staff=int(given["staff"]) if given["staff"] else None,
            n=given["number"],
            from_s=_midnight_s(given["since"], 0),
            until_s=_midnight_s(given["until"], 1),
        )

    def _choose(self, name: str, anything: str, choices: Iterable[tuple[int, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", anything), *((str(number), text) for number, text in choices)]


class _Looks:
    """Of a search, for Django's pages: fifty are read, however many there are."""

    def __init__(self, scope: Scope, reported: Reported, search: Search) -> None:
        self._scope = scope
        self._reported = reported
        self._search = search

    def count(self) -> int:
        """How many are found."""
        return self._reported.count_views(self._search)

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Look]:
        skip, end = int(part.start or 0), int(part.stop)
        return self._scope.looks(self._reported.views(self._search, skip, end - skip))


@guard
@require_GET
def log_page(request: HttpRequest) -> HttpResponse:
    """Search and list, the newest first."""
    own = rights(request).co_ordinates
    try:
        with report() as found:
            scope = Scope(found, own)
            form = SearchForm(request.GET, own, scope)
            page: Page[Any] | None = None
            if form.is_valid():
                looks = _Looks(scope, found.reported, form.search(scope))
                page = Paginator(cast("Any", looks), PAGE_ROWS).get_page(request.GET.get("page", "1"))
                _tell(request, SEARCHED, form, found=page.paginator.count, page=page.number)
            context = {
                "form": form,
                "page": page,
                "rows": [] if page is None else list(page.object_list),
                "query": _query(request),
                "troubled": scope.troubled(),
                **_kept(form, found.views_days),
            }
    except NoReportError as e:
        return render(request, "in_shops/log.html", {"fault": str(e)})
    return render(request, "in_shops/log.html", context, status=200 if form.is_valid() else 400)


@guard
@require_recent_second_factor
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """What the search finds, as CSV. Recorded itself."""
    own, refusal, status = rights(request).co_ordinates, "", 400
    try:
        with report() as found:
            scope = Scope(found, own)
            form = SearchForm(request.GET, own, scope)
            search = form.search(scope) if form.is_valid() else None
            count = 0 if search is None else found.reported.count_views(search)
            if count > rules.EXPORT_ROWS_MAX:
                refusal = (
                    f"{count:,} rows are more than a file may hold ({rules.EXPORT_ROWS_MAX:,}). Choose a shorter time."
                )
            elif not _may_export_now(person(request).pk):
                refusal = (
                    f"You have exported {rules.EXPORTS_AN_HOUR} times within an hour. Please wait, then try again."
                )
                status = 429
            if search is None or refusal:
                context = {"form": form, "refusal": refusal, "query": _query(request), **_kept(form, found.views_days)}
                return render(request, "in_shops/log.html", context, status=status)
            _tell(request, EXPORTED, form, rows=count)
            data = write_table(HEADINGS, map(_cells, scope.looks(found.reported.views(search, 0, count))))
    except NoReportError as e:
        return render(request, "in_shops/log.html", {"fault": str(e)}, status=503)
    response = HttpResponse(data, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="watchlink-views.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _tell(request: HttpRequest, action: str, form: SearchForm, **details: object) -> None:
    """Keep who looked for whom, before anything is shown: in the person's scheme, else in all of the co-ordinator's."""
    asked: Whom | None = form.cleaned_data["person"]
    filters = [name for name in SearchForm.base_fields if request.GET.get(name)]
    schemes = None if asked is not None else rights(request).co_ordinates
    subject = "view log of shops" if asked is None else asked.individual
    record(person(request), action, subject, schemes=schemes, filters=filters, **details)


def _may_export_now(account: int) -> bool:
    since = timezone.now() - timedelta(hours=1)
    exports = AuditRow.objects.filter(actor_account=account, action=EXPORTED, at__gt=since)
    return exports.count() < rules.EXPORTS_AN_HOUR


def _kept(form: SearchForm, views_days: int) -> dict[str, object]:
    """Since when views are kept; and whether the search goes back further."""
    kept_since = timezone.localdate() - timedelta(days=views_days)
    since = form.cleaned_data.get("since") if form.is_bound and hasattr(form, "cleaned_data") else None
    return {"views_days": views_days, "kept_since": kept_since, "goes_back_further": bool(since and since < kept_since)}


def _query(request: HttpRequest) -> str:
    return urlencode({name: request.GET[name] for name in SearchForm.base_fields if request.GET.get(name)})


def _midnight_s(day: date | None, days_later: int) -> int | None:
    """Of London, Unix time."""
    if day is None:
        return None
    try:
        return int(timezone.make_aware(datetime.combine(day + timedelta(days=days_later), time.min)).timestamp())
    except OverflowError:
        return None


def _cells(look: Look) -> tuple[str, ...]:
    case = look.case
    return (
        _utc(look.at),
        "yes" if look.is_proven else "no",
        _utc(look.received),
        look.shop,
        look.unit,
        str(look.n),
        look.who,
        look.what,
        "" if case is None else case.individual.reference,
        "" if case is None else case.reference,
        "; ".join(look.marks),
    )


def _utc(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(tz=UTC).isoformat(timespec="seconds")
