"""The page on which a co-ordinator says that a unit's card was broken, and not copied."""

from __future__ import annotations

from typing import Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, for_roles, rights
from office.accounts.forms import PlainForm
from office.accounts.rules import Rights
from office.accounts.second_factor import require_recent_second_factor
from office.in_shops.broken_cards import REASONS, CopiedCard, copied_card, say_broken

_NEW_ALARM: Final = (
    "This is a new alarm: somebody has said of the one before that the card was broken, and the record contradicts"
    " itself again. That is what a copied card does. If you are not sure, have the unit revoked."
)


class BrokenCardForm(PlainForm):
    """How they know, and of which alarm they say it."""

    since_s = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(
        label="What the shop or the fleet engineer says",
        choices=list(REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what happened. If nobody knows, have the unit revoked."},
    )


@for_roles("co-ordinator")
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def card_broken(request: HttpRequest, unit: str) -> HttpResponseBase:
    """Ask what happened, and settle the alarm by it."""
    card = _card(rights(request), unit)
    form = BrokenCardForm(request.POST if request.method == "POST" else None, initial={"since_s": card.since_s})
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            card = _card(mine, unit)
            is_same = form.cleaned_data["since_s"] == card.since_s
            if is_same:
                say_broken(actor, card, form.cleaned_data["reason"])
        if is_same:
            messages.success(request, f"Written down. Within seconds unit {unit} may begin its view log anew, once.")
            return redirect("galleries")
        # An old page, sent again: what it settled is settled, and this one its reader has not seen.
        form.add_error(None, _NEW_ALARM)
        again = request.POST.copy()
        again["since_s"] = str(card.since_s)
        form.data, status = again, 409
    return render(request, "in_shops/card_broken.html", {"card": card, "form": form}, status=status)


def _card(mine: Rights, unit: str) -> CopiedCard:
    found = copied_card(mine, unit)
    if found is None:
        raise Http404
    return found
