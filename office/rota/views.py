"""The rota as people read it: the week, who is on now, gaps; and what it is made of."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from office.accounts.access import for_roles, person, rights
from office.accounts.models import Scheme
from office.accounts.rules import TITLES
from office.rota.models import POST_ROLES, RotaCover, RotaOverride, RotaPattern, RotaSwap
from office.rota.planned import names_of
from office.rota.rules.spans import Span
from office.rota.rules.wall_time import london
from office.rota.week import Reader, swaps_to_answer, table_of
from office.rota.wording import day_text, hours_text, span_text

_YEARS: Final = range(2000, 2100)


@for_roles(*POST_ROLES)
@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """A week of every scheme in which the person may answer alerts."""
    mine, at = rights(request), timezone.now()
    monday = _monday(request.GET.get("week", ""), london(at).date())
    reader = Reader(person(request).pk, mine.schemes(*POST_ROLES), mine.co_ordinates)
    schemes = Scheme.objects.filter(pk__in=reader.reads)
    tables = [table_of(one, reader, monday, at) for one in schemes]
    asked = RotaSwap.objects.filter(state="asked", given_begins_at__gt=at, taken_begins_at__gt=at)
    context = {
        "tables": tables,
        "title": f"{day_text(monday)} to {day_text(monday + timedelta(days=6))} {monday + timedelta(days=6):%Y}",
        "is_this_week": monday <= london(at).date() < monday + timedelta(days=7),
        "before": (monday - timedelta(days=7)).isoformat(),
        "after": (monday + timedelta(days=7)).isoformat(),
        "swaps_to_answer": swaps_to_answer(mine, at),
        "swaps_asked": asked.filter(asked_by=reader.account, scheme__in=schemes).select_related("asked"),
    }
    return render(request, "rota/week.html", context)


@for_roles("co-ordinator")
@require_GET
def made_of(request: HttpRequest, scheme: str) -> HttpResponse:
    """What a scheme's rota is made of: patterns, covers, and overrides that are not over."""
    own = get_object_or_404(Scheme, slug=scheme, pk__in=rights(request).co_ordinates)
    patterns = list(RotaPattern.objects.filter(scheme=own).order_by("pk"))
    covers = list(RotaCover.objects.filter(scheme=own).order_by("pk"))
    overrides = RotaOverride.objects.filter(scheme=own, ends_at__gt=timezone.now())
    names = names_of(one for pattern in patterns for one in pattern.people)
    context = {
        "scheme": own,
        "posts": [
            {
                "role": role,
                "title": TITLES[role],
                "patterns": [
                    (one.pk, hours_text(one.hours), [names.get(who, "?") for who in one.people], one.get_turn_display())
                    for one in patterns
                    if one.role == role
                ],
                "covers": [(one.pk, hours_text(one.hours)) for one in covers if one.role == role],
            }
            for role in POST_ROLES
        ],
        "overrides": [
            (one, TITLES[one.role], span_text(Span(one.begins_at, one.ends_at)))
            for one in overrides.select_related("account", "instead_of").order_by("begins_at", "pk")
        ],
    }
    return render(request, "rota/made_of.html", context)


def _monday(asked: str, today: date) -> date:
    """Of the week that is asked for, by any of its days; of this week if that is none."""
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        day = today
    if day.year not in _YEARS:
        day = today
    return day - timedelta(days=day.weekday())
