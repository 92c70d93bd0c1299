"""The page to which the control room sends people with an incident: what stands here of it, or a form to write it down.

Central owns incidents and the office asks it nothing: what the address says is what whoever followed it saw there.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, for_roles, rights
from office.breaches.acts import write_down_incident
from office.breaches.forms import IncidentForm
from office.breaches.rules import HAPPENED_TITLES, ROLES
from office.breaches.scope import breaches_visible
from office.in_shops.port import premises_of_unit
from office.members.models import Premises
from wire.errors import DecodeError
from wire.ids import FrameId, node_text


@for_roles(*ROLES)
@require_http_methods(["GET", "POST"])
def incident_page(request: HttpRequest, incident: str) -> HttpResponseBase:
    """Of an alert, by its id at central."""
    try:
        frame = FrameId.parse(incident)
    except DecodeError as e:
        raise Http404 from e
    mine = rights(request)
    # A report of the shop first: it may have come in after somebody had written the alert down.
    known = breaches_visible(mine).filter(incident=frame.text).order_by("happened", "pk").first()
    if known is not None:
        return redirect("breach", number=known.pk)
    form = IncidentForm(mine, request.POST if request.method == "POST" else None, _seen_there(request, frame))
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        with acting(request) as (actor, still_mine):
            if typed["scheme"].pk not in still_mine.schemes(*ROLES):
                raise Http404
            breach = write_down_incident(
                actor,
                frame,
                scheme=typed["scheme"],
                premises=typed["premises"],
                happened=typed["happened"],
                at=form.moment(),
            )
        messages.success(request, "Written down.")
        return redirect("breach", number=breach.pk)
    context = {"incident": frame.text, "form": form}
    return render(request, "breaches/incident.html", context, status=400 if form.errors else 200)


def _seen_there(request: HttpRequest, frame: FrameId) -> dict[str, object]:
    """What the control room shows of it, as the address says, and where its unit stands."""
    kind = request.GET.get("kind", "")
    try:
        at = timezone.localtime(datetime.fromisoformat(request.GET.get("at", "")))
    except (ValueError, OverflowError):
        at = timezone.localtime()
    premises = premises_of_unit(node_text(frame.node))
    theirs = Premises.schemes.through.objects.filter(premises=premises, scheme__in=rights(request).schemes(*ROLES))
    schemes = list(theirs.values_list("scheme", flat=True))
    return {
        "premises": premises,
        "scheme": schemes[0] if len(schemes) == 1 else None,
        "happened": kind if kind in HAPPENED_TITLES else "other",
        "on": at.date(),
        "at": at.time(),
    }
