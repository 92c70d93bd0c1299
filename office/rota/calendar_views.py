"""Calendars of the rota: by a secret address, which can be changed."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.links import digest_of
from office.accounts.rules import Rights
from office.accounts.second_factor import require_recent_second_factor
from office.rota import acts
from office.rota.calendars import Choice, calendar_of, choices, opened
from office.rota.models import POST_ROLES, RotaFeed

guard = for_roles(*POST_ROLES)


@guard
@require_GET
def calendars(request: HttpRequest) -> HttpResponse:
    """Which there are for the person, and which have an address."""
    made = dict(RotaFeed.objects.filter(account=person(request)).values_list("what", "made_at"))
    rows = [(one, made.get(one.what)) for one in choices(rights(request))]
    return render(request, "rota/calendars.html", {"rows": rows})


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def calendar_new(request: HttpRequest, what: str) -> HttpResponseBase:
    """Give a calendar a new address, after asking; it is on the page that answers, and on no other."""
    one = _choice(rights(request), what)
    if request.method == "POST":
        with acting(request) as (actor, mine):
            address = acts.new_feed(actor, _choice(mine, what).what)
        return render(request, "rota/calendar_address.html", {"one": one, "address": address})
    has_one = RotaFeed.objects.filter(account=person(request), what=what).exists()
    return render(request, "rota/calendar_new.html", {"one": one, "has_one": has_one})


@guard
@require_http_methods(["POST"])
def calendar_end(request: HttpRequest, what: str) -> HttpResponseBase:
    """End a calendar's address."""
    with acting(request) as (actor, _):
        acts.end_feed(actor, get_object_or_404(RotaFeed, account=actor, what=what))
    messages.success(request, "The address answers no more.")
    return redirect("rota-calendars")


@login_not_required
@require_GET
def feed(_request: HttpRequest, token: str) -> HttpResponse:
    """The calendar itself. What was secret once and is no more looks like what never was."""
    found = opened(digest_of(token))
    if found is None:
        raise Http404
    answer = HttpResponse(calendar_of(found, timezone.now()), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="rota.ics"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _choice(mine: Rights, what: str) -> Choice:
    for one in choices(mine):
        if one.what == what:
            return one
    raise Http404
