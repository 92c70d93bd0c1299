"""Pages on which people swap shifts: asked by one, agreed by the other."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.models import Scheme
from office.accounts.rules import TITLES, Rights
from office.rota import acts
from office.rota.acts import RotaRefusedError
from office.rota.forms import SwapForm
from office.rota.models import POST_ROLES, RotaSwap
from office.rota.planned import good_shifts, holders, names_of
from office.rota.rules.plan import Shift
from office.rota.rules.refusals import ASKED_AHEAD_DAYS_MAX, why_not_swap
from office.rota.rules.spans import Span
from office.rota.week import key_of
from office.rota.wording import span_text

guard = for_roles(*POST_ROLES)


@guard
@require_http_methods(["GET", "POST"])
def swap_ask(request: HttpRequest) -> HttpResponseBase:
    """Ask somebody to swap."""
    me, own = person(request).pk, rights(request).schemes(*POST_ROLES)
    mine, theirs = _swappable(me, own)
    schemes = dict(Scheme.objects.filter(pk__in=own).values_list("pk", "name"))
    names = names_of(shift.account for shift in theirs.values())
    form = SwapForm(
        request.POST if request.method == "POST" else None,
        mine={key: _said(shift, schemes) for key, shift in mine.items()},
        theirs={key: f"{names[shift.account]}: {_said(shift, schemes)}" for key, shift in theirs.items()},
        initial={"given": request.GET.get("given", "")},
    )
    if form.is_bound and form.is_valid():
        given, taken = mine[form.cleaned_data["given"]], theirs[form.cleaned_data["taken"]]
        try:
            with acting(request) as (actor, rights_now):
                scheme = get_object_or_404(Scheme, pk=given.post.scheme, pk__in=rights_now.schemes(*POST_ROLES))
                swap = acts.ask_swap(actor, scheme, given, taken)
        except RotaRefusedError as e:
            form.add_error("taken", str(e))
        else:
            messages.success(request, f"{swap.asked.name} was asked. Until they agree, the rota stays as it is.")
            return redirect("rota")
    context = {"form": form, "has_any": bool(mine and theirs)}
    return render(request, "rota/swap_ask.html", context, status=400 if form.errors else 200)


@guard
@require_http_methods(["GET", "POST"])
def swap(request: HttpRequest, number: int) -> HttpResponseBase:
    """Answer, or withdraw what one has asked."""
    me, mine = person(request), rights(request)
    found = _between(me.pk, mine, number)
    is_asker = found.asked_by_id == me.pk
    if request.method == "POST":
        answer = request.POST.get("answer", "")
        if answer not in ({"withdraw"} if is_asker else {"agree", "decline"}):
            return redirect("rota-swap", number=number)
        try:
            with acting(request) as (actor, rights_now):
                again = _between(actor.pk, rights_now, number)
                if is_asker:
                    acts.withdraw_swap(actor, again)
                else:
                    acts.answer_swap(actor, again, agrees=answer == "agree")
        except RotaRefusedError as e:
            messages.error(request, str(e))
            return redirect("rota-swap", number=number)
        said = {"withdraw": "You took it back.", "agree": "You have swapped.", "decline": "You declined."}
        messages.success(request, said[answer])
        return redirect("rota")
    given, taken = acts.shifts_of(found)
    context = {
        "swap": found,
        "is_asker": is_asker,
        "given": f"{TITLES[given.post.role]}, {span_text(given.span)}",
        "taken": f"{TITLES[taken.post.role]}, {span_text(taken.span)}",
    }
    return render(request, "rota/swap.html", context)


def _between(me: int, mine: Rights, number: int) -> RotaSwap:
    """A swap that one has asked or was asked, in a scheme in which one may answer alerts still."""
    theirs = RotaSwap.objects.filter(Q(asked_by=me) | Q(asked=me), scheme__in=mine.schemes(*POST_ROLES))
    return get_object_or_404(theirs.select_related("asked_by", "asked", "scheme"), pk=number)


def _swappable(me: int, schemes: frozenset[int]) -> tuple[dict[str, Shift], dict[str, Shift]]:
    """One's own shifts ahead, and those of others for which one could swap one of them; by key."""
    now, holding = timezone.now(), holders(schemes)
    found = good_shifts(Span(now, now + timedelta(days=ASKED_AHEAD_DAYS_MAX)), schemes)
    ahead = [shift for shift in found if shift.span.begins_at > now]
    mine = [shift for shift in ahead if shift.account == me]
    theirs = [
        one
        for one in ahead
        if one.account != me and any(why_not_swap(given, one, holding, now) is None for given in mine)
    ]
    return {key_of(one): one for one in mine}, {key_of(one): one for one in theirs}


def _said(shift: Shift, schemes: dict[int, str]) -> str:
    where = f" in {schemes[shift.post.scheme]}" if len(schemes) > 1 else ""
    return f"{TITLES[shift.post.role]}{where}, {span_text(shift.span)}"
