"""Pages of who is excluded now, for readers. Whose entry was on a page that somebody saw is in the audit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, person, rights
from office.accounts.rules import TITLES
from office.audit.journal import Entry, record, record_many
from office.breaches.scope import breaches_of
from office.exclusions import reading
from office.exclusions.models import Case
from office.exclusions.reading import Filters, Open
from office.exclusions.rules.reach import READERS
from office.exclusions.rules.search import words_of
from office.exclusions.scope import cases_visible
from office.in_shops.cases import in_shops
from office.people.intake_terms import Size
from office.people.photographs import photograph_response
from wire.snapshots import RoleSlug

ROWS_PER_PAGE: Final = 50
PRINT_ROWS_MAX: Final = 200
PRINT_ROWS_WITH_FACES_MAX: Final = 60
"""Each face is marked for the reader and logged."""
_NAMES_SHOWN: Final = 3
"""Of the premises of an exclusion, on a list."""
_SIZES: Final[dict[str, Size]] = {"small": "small", "portrait": "portrait"}
_READERS: Final[tuple[RoleSlug, ...]] = tuple(sorted(READERS))  # type: ignore[arg-type]  # slugs of roles
guard = for_roles(*_READERS)


@guard
@require_GET
def register_list(request: HttpRequest) -> HttpResponse:
    """Who must not be in here: the newest first, by what the address asks for."""
    registers, filters, numbers = _found(request)
    page = Paginator(numbers, ROWS_PER_PAGE).get_page(request.GET.get("page", "1"))
    cases = reading.rows_of(list(page.object_list))
    _tell(request, "register.viewed", registers, cases, filters=filters.names, page=page.number)
    context = {**_context(request, registers, filters), "page": page, "rows": [_row(one, registers) for one in cases]}
    return render(request, "exclusions/register.html", context)


@guard
@require_GET
def register_print(request: HttpRequest) -> HttpResponse:
    """The same on paper, named for the reader; with faces if the address asks for them.

    Paper goes round a meeting: nobody is on it whom not every reader may see.
    """
    registers, filters, numbers = _found(request, shows_hidden=False)
    with_faces = request.GET.get("photographs") == "yes"
    most = PRINT_ROWS_WITH_FACES_MAX if with_faces else PRINT_ROWS_MAX
    cases = reading.rows_of(numbers[:most])
    _tell(request, "register.printed", registers, cases, filters=filters.names, photographs=with_faces)
    context = {
        **_context(request, registers, filters),
        "rows": [_row(one, registers) for one in cases],
        "with_faces": with_faces,
        "left_out": max(len(numbers) - most, 0),
        "reader": person(request).name,
        "roles": _roles(request, registers),
        "at": timezone.localtime(),
    }
    return render(request, "exclusions/register_print.html", context)


@guard
@require_GET
def register_person(request: HttpRequest, number: int) -> HttpResponse:
    """One person, as readers may know them."""
    registers, cases = _cases_of(request, number)
    individual = cases[0].individual
    _tell(request, "register.viewed", registers, cases)
    open_to_them = set(
        cases_visible(rights(request)).filter(pk__in=[one.pk for one in cases]).values_list("pk", flat=True)
    )
    context = {
        "individual": individual,
        "photograph": cases[0].photograph,  # type: ignore[attr-defined]  # annotated by rows_of
        "rows": [(*_row(one, registers), one.pk in open_to_them, in_shops(rights(request), one)) for one in cases],
        "is_co_ordinator": individual.scheme_id in registers.co_ordinates,
        "breaches": breaches_of(rights(request), individual)[:ROWS_PER_PAGE],
    }
    return render(request, "exclusions/register_person.html", context)


@guard
@require_GET
def register_photograph(request: HttpRequest, number: int, size: str) -> HttpResponse:
    """The face of a person whom the reader may see, marked for the reader."""
    if size not in _SIZES:
        raise Http404
    _cases_of(request, number)
    photograph = reading.shown_photograph(number)
    if photograph is None:
        raise Http404
    return photograph_response(request, photograph, _SIZES[size])


def _found(request: HttpRequest, *, shows_hidden: bool = True) -> tuple[Open, Filters, list[int]]:
    """The registers, what is asked of them, and numbers of the cases, in their order."""
    mine = rights(request)
    registers = reading.open_to(mine, shows_hidden=shows_hidden)
    filters = reading.read_filters(request.GET, registers, reading.premises_to_choose(mine))
    cases = reading.filtered(reading.cases_shown(registers), filters, registers.today)
    return registers, filters, reading.numbers_of(cases, words_of(filters.search), registers)


def _cases_of(request: HttpRequest, number: int) -> tuple[Open, list[Case]]:
    """The cases that the reader may see of an individual, at least one.

    Raises:
        Http404: there is none. Who asked for which number is in the audit, not whether there is such a person.
    """
    registers = reading.open_to(rights(request))
    cases = reading.rows_of(list(reading.cases_shown(registers).filter(individual=number).values_list("pk", flat=True)))
    if not cases:
        record(person(request), "register.not-found", f"register address {number}", number=number)
        raise Http404
    return registers, cases


def _row(case: Case, registers: Open) -> tuple[Case, str, list[str], str]:
    """A case; why only co-ordinators see it; where, all premises and as a list tells it."""
    hidden = ""
    if reading.is_hidden(case, registers):
        hidden = "Hidden while it is looked into" if case.is_restricted else "Under 18: not shown to readers"
    names = reading.where(case)
    short = ", ".join(names[:_NAMES_SHOWN]) or (
        "No premises now" if case.scope == "listed" else f"All premises of {case.scheme}"
    )
    more = len(names) - _NAMES_SHOWN
    return case, hidden, names, f"{short} and {more} more" if more > 0 else short


def _context(request: HttpRequest, registers: Open, filters: Filters) -> dict[str, Any]:
    mine = rights(request)
    return {
        "filters": filters,
        "query": filters.query,
        "shows": reading.SHOWS.items(),
        "schemes": [scheme for scheme, _ in registers.schemes.values()],
        "premises": reading.premises_to_choose(mine).values_list("pk", "name"),
        "off": registers.off.items(),
        "co_ordinates_one": bool(mine.co_ordinates),
        "reads_none": not registers.schemes and not registers.off,
    }


def _roles(request: HttpRequest, registers: Open) -> str:
    """Of the reader, in the schemes on the page."""
    found = (role for role, scheme in sorted(rights(request).grants) if scheme in registers.schemes)
    return ", ".join(dict.fromkeys(TITLES[role] for role in found if role in TITLES))


def _tell(
    request: HttpRequest,
    action: Literal["register.viewed", "register.printed"],
    registers: Open,
    cases: Iterable[Case],
    **details: object,
) -> None:
    """Keep in the audit of each scheme who of its register was on the page: references alone."""
    references: dict[int, list[str]] = {}
    for case in cases:
        references.setdefault(case.scheme_id, []).append(case.individual.reference)
    # A page with nobody on it was asked for, too.
    told = references or {number: [] for number in registers.schemes}
    record_many(
        person(request),
        [
            Entry(action, registers.schemes[number][0], {"individuals": sorted(set(names)), **details})
            for number, names in sorted(told.items())
        ],
    )
