"""Pages of members, their memberships, and the people who speak for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Account
from office.accounts.rules import Rights
from office.members.forms import MemberForm, PeopleForm
from office.members.import_rules import OwnScheme
from office.members.listing import filtered_members, members_page, read_filters
from office.members.models import Member, Membership
from office.members.register import (
    ChangedMeanwhileError,
    ChangeRefusedError,
    add_member,
    change_member,
    delete_membership,
    end_membership,
    set_people,
)
from office.members.scope import members_of, premises_of, schemes_of


@for_roles("co-ordinator")
@require_GET
def members_list(request: HttpRequest) -> HttpResponse:
    """The members of one's schemes."""
    own = rights(request).co_ordinates
    schemes, filters = schemes_of(own), read_filters(request.GET)
    page = members_page(filtered_members(members_of(own), filters, schemes), schemes, request.GET.get("page", "1"))
    context = {"page": page, "filters": filters, "schemes": schemes, "is_co_ordinator": True}
    return render(request, "members/members_list.html", context)


@for_roles("co-ordinator")
@require_GET
def member_page(request: HttpRequest, number: int) -> HttpResponse:
    """One member: memberships and premises in one's schemes, and who speaks for it."""
    own = rights(request).co_ordinates
    member = get_object_or_404(members_of(own), pk=number)
    among = _may_speak(member, own)
    chosen = _spokespeople(member, own)
    context = {
        "member": member,
        "memberships": _memberships(member, own),
        "premises": premises_of(own).filter(member=member).order_by("name", "pk"),
        "people": [
            (one, scheme) for scheme, people in among.items() for one in people if (scheme.number, one.pk) in chosen
        ],
        "has_candidates": bool(among),
    }
    return render(request, "members/member.html", context)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def member_add(request: HttpRequest) -> HttpResponseBase:
    """Add a member."""
    own = rights(request).co_ordinates
    data = request.POST if request.method == "POST" else None
    form = MemberForm(schemes_of(own), data, taken=members_of(own).values_list("name", flat=True))
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            member = add_member(actor, form.cleaned_data["name"], _still(form, mine))
        messages.success(request, f"{member.name} was added.")
        return redirect("member", number=member.pk)
    return render(request, "members/member_edit.html", {"form": form}, status=400 if form.errors else 200)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def member_edit(request: HttpRequest, number: int) -> HttpResponseBase:
    """Rename a member, and correct or add memberships of one's schemes."""
    own = rights(request).co_ordinates
    member = get_object_or_404(members_of(own), pk=number)
    joined = {one.scheme_id: one.joined_on for one in _memberships(member, own) if one.ended_on is None}
    taken = members_of(own).exclude(pk=number).values_list("name", flat=True)
    data = request.POST if request.method == "POST" else None
    form = MemberForm(schemes_of(own), data, name=member.name, joined=joined, taken=taken)
    form.initial["version"] = member.version
    if form.is_bound and form.is_valid():
        version = form.cleaned_data.get("version") or 0
        try:
            with acting(request) as (actor, mine):
                get_object_or_404(members_of(mine.co_ordinates), pk=number)
                change_member(actor, number, version, form.cleaned_data["name"], _still(form, mine))
        except ChangedMeanwhileError:
            member.refresh_from_db()
            again = request.POST.copy()
            again["version"] = str(member.version)
            form = MemberForm(schemes_of(own), again, name=member.name, joined=joined, taken=taken)
            form.add_error(
                None,
                "Somebody else has changed this member while you were editing. "
                f"Saved now: {member.name}, {_spoken(member, own)}. Correct yours, or press Save to replace it.",
            )
        except Member.DoesNotExist as e:
            raise Http404 from e
        else:
            messages.success(request, f"{form.cleaned_data['name']} was saved.")
            return redirect("member", number=number)
    context = {"form": form, "member": member}
    return render(request, "members/member_edit.html", context, status=400 if form.errors else 200)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def member_people(request: HttpRequest, number: int) -> HttpResponseBase:
    """Choose who may see the member's premises, in each of one's schemes among its members' contacts."""
    own = rights(request).co_ordinates
    member = get_object_or_404(members_of(own), pk=number)
    among = _may_speak(member, own)
    data = request.POST if request.method == "POST" else None
    form = PeopleForm(among, data, chosen=_spokespeople(member, own))
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            member = get_object_or_404(members_of(own & mine.co_ordinates), pk=number)
            for scheme, accounts in among.items():
                if scheme.number in mine.co_ordinates:
                    set_people(actor, member, scheme.number, form.chosen(scheme.number), accounts)
        messages.success(request, f"{member.name} was saved.")
        return redirect("member", number=number)
    context = {"form": form, "member": member}
    return render(request, "members/member_people.html", context, status=400 if form.errors else 200)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def membership_end(request: HttpRequest, number: int, scheme: str) -> HttpResponseBase:
    """End a membership, after asking: the member's premises leave the scheme."""
    membership = _membership(request, number, scheme, has_ended=False)
    if request.method == "POST":
        with _acting_on(request, membership) as actor:
            left = end_membership(actor, number, membership.scheme, timezone.localdate())
        messages.success(request, f"{membership.member} has left {membership.scheme}; {left} premises left with it.")
        return redirect("member", number=number)
    leaving = premises_of(frozenset({membership.scheme_id})).filter(member=number).order_by("name", "pk")
    context = {"membership": membership, "leaving": leaving}
    return render(request, "members/membership_end.html", context)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def membership_delete(request: HttpRequest, number: int, scheme: str) -> HttpResponseBase:
    """Forget an ended membership, after asking."""
    membership = _membership(request, number, scheme, has_ended=True)
    if request.method == "POST":
        try:
            with _acting_on(request, membership) as actor:
                delete_membership(actor, number, membership.scheme)
        except ChangeRefusedError as e:
            context = {"membership": membership, "why_not": str(e)}
            return render(request, "members/membership_delete.html", context, status=409)
        messages.success(request, f"{membership.member}’s membership of {membership.scheme} was deleted.")
        return redirect("members-list")
    return render(request, "members/membership_delete.html", {"membership": membership})


def _membership(request: HttpRequest, number: int, slug: str, *, has_ended: bool) -> Membership:
    own = rights(request).co_ordinates
    found = Membership.objects.filter(scheme__in=own, ended_on__isnull=not has_ended)
    return get_object_or_404(found.select_related("scheme", "member"), member=number, scheme__slug=slug)


@contextmanager
def _acting_on(request: HttpRequest, membership: Membership) -> Iterator[Account]:
    """A transaction for a change of a membership that is still there and still one's own."""
    try:
        with acting(request) as (actor, mine):
            if membership.scheme_id not in mine.co_ordinates:
                raise Http404
            yield actor
    except Membership.DoesNotExist as e:
        raise Http404 from e


def _still(form: MemberForm, mine: Rights) -> dict[int, date]:
    """When it joined, by scheme that the person co-ordinates still.

    Raises:
        Http404: by none.
    """
    joined = {number: day for number, day in form.joined().items() if number in mine.co_ordinates}
    if not joined:
        raise Http404
    return joined


def _memberships(member: Member, own: frozenset[int]) -> list[Membership]:
    return list(member.memberships.filter(scheme__in=own).select_related("scheme").order_by("scheme"))


def _spoken(member: Member, own: frozenset[int]) -> str:
    return ", ".join(
        f"in {one.scheme} since {one.joined_on:%d %b %Y}" for one in _memberships(member, own) if one.ended_on is None
    )


def _may_speak(member: Member, own: frozenset[int]) -> dict[OwnScheme, list[Account]]:
    """Accounts with the role of a member's contact, by scheme of ``own`` that the member is in; none without any."""
    joined = frozenset(one.scheme_id for one in _memberships(member, own) if one.ended_on is None)
    active = Account.objects.filter(is_active=True).order_by("name", "pk")
    found = {
        scheme: list(active.filter(grants__role="members-contact", grants__scheme=scheme.number))
        for scheme in schemes_of(joined)
    }
    return {scheme: accounts for scheme, accounts in found.items() if accounts}


def _spokespeople(member: Member, own: frozenset[int]) -> set[tuple[int, int]]:
    """(scheme, account) chosen in these schemes."""
    return set(member.spokespeople.filter(scheme__in=own).values_list("scheme_id", "account_id"))
