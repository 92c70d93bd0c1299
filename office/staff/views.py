"""Pages of a premises' list of staff. What may be done stands in :mod:`office.staff.rules`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Account
from office.accounts.rules import Rights
from office.accounts.second_factor import require_recent_second_factor
from office.members.models import Premises
from office.members.register import scheme_numbers
from office.members.scope import premises_visible, spoken_for
from office.staff import acts
from office.staff.acts import StaffRefusedError, StartCode
from office.staff.forms import StaffForm
from office.staff.models import StaffMember
from office.staff.rules import Standing, standing

guard = for_roles("co-ordinator", "members-contact")


@guard
@require_GET
def staff_list(request: HttpRequest, number: int) -> HttpResponse:
    """Who may sign in at the page of a premises."""
    premises, may = _seen(rights(request), number)
    today = timezone.localdate()
    rows = [(one, one.code_until is not None and today <= one.code_until) for one in acts.listed(premises)]
    return render(request, "staff/list.html", {"premises": premises, "rows": rows, "may": may})


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def staff_add(request: HttpRequest, number: int) -> HttpResponseBase:
    """Add a person; their start code is on the page that answers, and on no other."""
    premises = _kept(rights(request), number)
    form = StaffForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            with _acting(request, number) as (actor, again):
                given = acts.add(actor, again, form.cleaned_data["name"])
        except StaffRefusedError as e:
            form.add_error("name", str(e))
        else:
            return _code_page(request, premises, given)
    context = {"form": form, "premises": premises}
    return render(request, "staff/edit.html", context, status=400 if form.errors else 200)


@guard
@require_http_methods(["GET", "POST"])
def staff_correct(request: HttpRequest, number: int, person: int) -> HttpResponseBase:
    """Correct a person's name."""
    premises = _kept(rights(request), number)
    member = _on_list(premises, person)
    form = StaffForm(request.POST if request.method == "POST" else None, initial={"name": member.name})
    if form.is_bound and form.is_valid():
        try:
            with _acting(request, number) as (actor, again):
                acts.correct(actor, _on_list(again, person), form.cleaned_data["name"])
        except StaffRefusedError as e:
            form.add_error("name", str(e))
        else:
            messages.success(request, f"{form.cleaned_data['name']} was saved.")
            return redirect("staff", number=number)
    context = {"form": form, "premises": premises, "member": member}
    return render(request, "staff/edit.html", context, status=400 if form.errors else 200)


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def staff_start_code(request: HttpRequest, number: int, person: int) -> HttpResponseBase:
    """Give a new start code, after asking; it is on the page that answers, and on no other."""
    premises = _kept(rights(request), number)
    member = _on_list(premises, person)
    if request.method == "POST":
        with _acting(request, number) as (actor, again):
            given = acts.give_code(actor, _on_list(again, person))
        return _code_page(request, premises, given)
    return render(request, "staff/start_code.html", {"premises": premises, "member": member})


@guard
@require_http_methods(["GET", "POST"])
def staff_take_off(request: HttpRequest, number: int, person: int) -> HttpResponseBase:
    """Take a person off the list, after asking."""
    premises, _ = _seen(rights(request), number)
    member = _on_list(premises, person)
    if request.method == "POST":
        with acting(request) as (actor, mine):
            again, may = _seen(mine, number)
            if not may.takes_off:
                raise Http404
            acts.take_off(actor, _on_list(again, person))
        messages.success(request, f"{member.name} is off the list.")
        return redirect("staff", number=number)
    return render(request, "staff/take_off.html", {"premises": premises, "member": member})


def _code_page(request: HttpRequest, premises: Premises, given: StartCode) -> HttpResponse:
    return render(request, "staff/code.html", {"premises": premises, "member": given.member, "code": given.text})


def _seen(mine: Rights, number: int) -> tuple[Premises, Standing]:
    """A premises that exists for the person, and what they may do with its list."""
    premises = get_object_or_404(premises_visible(mine), pk=number)
    speaks_in = frozenset(scheme for member, scheme in spoken_for(mine) if member == premises.member_id)
    return premises, standing(scheme_numbers(premises), mine.co_ordinates, speaks_in)


def _kept(mine: Rights, number: int) -> Premises:
    """A premises whose list the person keeps."""
    premises, may = _seen(mine, number)
    if not may.keeps:
        raise Http404
    return premises


@contextmanager
def _acting(request: HttpRequest, number: int) -> Iterator[tuple[Account, Premises]]:
    """A transaction for a change by somebody who keeps the list still."""
    with acting(request) as (actor, mine):
        yield actor, _kept(mine, number)


def _on_list(premises: Premises, person: int) -> StaffMember:
    return get_object_or_404(acts.listed(premises), number=person)
