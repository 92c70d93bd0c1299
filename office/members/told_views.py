"""The page on which a member's contact says of what they are told. Everybody's is their own."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.second_factor import require_recent_second_factor
from office.members.forms import ToldForm
from office.members.told import choose, premises_as_contact, told_of


@for_roles("members-contact")
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def own_told(request: HttpRequest) -> HttpResponseBase:
    """Of what one is told at one's own premises."""
    me = person(request)
    form = ToldForm(request.POST if request.method == "POST" else None, told_of(me))
    if form.is_bound and form.is_valid():
        with acting(request) as (account, _):
            choose(account, form.cleaned_data["of"])
        messages.success(request, "Saved.")
        return redirect("mfa_index")
    context = {"form": form, "premises": premises_as_contact(rights(request)), "has_ways": me.ways.exists()}
    return render(request, "members/told.html", context, status=400 if form.errors else 200)
