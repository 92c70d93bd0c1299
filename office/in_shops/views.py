"""The page of the galleries in shops: which unit holds what, and who needs a person first."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, rights
from office.accounts.models import Scheme
from office.in_shops.port import NoReportError, report
from office.in_shops.standing import Row, rows_of
from office.members.facts import folded
from office.members.scope import premises_of
from office.nodes.reading import Reported
from wire.ids import node_text

ROWS_PER_PAGE: Final = 50
ALIVE_S: Final = 60
"""The machine port says every quarter of a minute that it runs."""
_SEARCH_CHARS_MAX: Final = 100


@for_roles("co-ordinator", "fleet-engineer")
@require_GET
def galleries_page(request: HttpRequest) -> HttpResponse:
    """Of the schemes in which the person is co-ordinator or fleet engineer. Nobody who is excluded is named."""
    mine = rights(request)
    names = dict(Scheme.objects.filter(pk__in=mine.schemes("co-ordinator", "fleet-engineer")).values_list("pk", "name"))
    search = request.GET.get("q", "").replace("\0", "")[:_SEARCH_CHARS_MAX].strip()
    fault, alarm, rows, newest, own_units = "", "", list[Row](), [], set[str]()
    try:
        with report() as found:
            alarm = _alarm(found.reported)
            rows = rows_of(found, names, int(time.time()))
            stations = found.reported.stations()
            own_units = {node_text(one.node) for one in stations if mine.co_ordinates & frozenset(one.schemes)}
            newest = [(names[number], one) for number, one in sorted(found.published.items()) if number in names]
    except NoReportError as e:
        fault = str(e)
    openable = frozenset(premises_of(mine.co_ordinates).values_list("pk", flat=True))
    unfitted = 0 if fault else len(openable - {row.number for row in rows})
    words = folded(search).split()
    asked_for = [row for row in rows if all(word in folded(f"{row.name} {row.place} {row.unit}") for word in words)]
    page = Paginator(asked_for, ROWS_PER_PAGE).get_page(request.GET.get("page", "1"))
    shown: list[Row] = list(page.object_list)
    context = {
        "fault": fault,
        "alarm": alarm,
        "search": search,
        "query": urlencode({"q": search}) if search else "",
        "now": timezone.localtime(),
        "newest": newest,
        "needing": sum(bool(row.told) for row in rows),
        "total": len(rows),
        "page": page,
        "wrong": [row for row in shown if row.told],
        "well": [row for row in shown if not row.told],
        "openable": openable,
        "own_units": own_units,
        "unfitted": unfitted,
        "is_co_ordinator": bool(mine.co_ordinates),
    }
    return render(request, "in_shops/galleries.html", context)


def _alarm(reported: Reported) -> str:
    """What is wrong with the machine port itself; empty = nothing."""
    at_s, alarm = reported.alive()
    if time.time() - at_s > ALIVE_S:
        return "The machine port does not run: no unit is answered, and each gallery goes off when its lease ends."
    return f"The machine port says: {alarm}." if alarm else ""
