"""The first page."""

from __future__ import annotations

from itertools import groupby

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from office.accounts.access import person, rights
from office.accounts.models import Scheme
from office.accounts.rules import TITLES
from office.config import Configuration
from office.members.scope import premises_visible
from office.publisher import reaching
from office.start.facts import facts_of, last_import
from office.start.rules import to_do

PREMISES_SHOWN = 10
"""Of a member's contact."""


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the person, and the ways on from here."""
    account, own = person(request), rights(request)
    names = dict(Scheme.objects.values_list("number", "name"))
    roles = [
        f"{TITLES[role]} in {', '.join(names[scheme] for _, scheme in grants)}"
        for role, grants in groupby(sorted(own.grants), key=lambda grant: grant[0])
    ]
    office: Configuration | None = settings.OFFICE
    context = {
        "person": account,
        "roles": roles,
        "lines": to_do(facts_of(account, own, names)),
        "central_url": office.central_url if office is not None and own.enters_control_room else "",
    }
    if own.co_ordinates:
        context |= {"published_at": reaching.published_at(), "last_import": last_import(own)}
    elif own.speaks_for_members:
        visible = list(premises_visible(own).order_by("name", "pk")[: PREMISES_SHOWN + 1])
        context |= {"premises": visible[:PREMISES_SHOWN], "has_more": len(visible) > PREMISES_SHOWN}
    return render(request, "start/home.html", context)
