"""The page on which a person says how they are reached. Everybody's is their own: there is no other person's."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, person
from office.accounts.second_factor import require_recent_second_factor
from office.escalation.forms import WaysForm
from office.escalation.ways import set_ways, ways_of


@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def own_ways(request: HttpRequest) -> HttpResponseBase:
    """One's own telephone numbers and e-mail addresses for being asked."""
    form = WaysForm(request.POST if request.method == "POST" else None, ways_of(person(request)))
    if form.is_bound and form.is_valid():
        with acting(request) as (account, _):
            set_ways(account, form.cleaned_data["ways"])
        messages.success(request, "Saved.")
        return redirect("mfa_index")
    return render(request, "escalation/ways.html", {"form": form}, status=400 if form.errors else 200)
