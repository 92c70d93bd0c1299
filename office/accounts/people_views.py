"""Pages on which co-ordinators look after people: list, person, invitations."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from office.accounts import acts, rules
from office.accounts.access import acting, for_roles, rights
from office.accounts.forms import GiveRoleForm, InviteForm, PersonForm, RecoveryForm
from office.accounts.models import ROLE_SLUGS, Account, Invitation, RoleGrant, Scheme
from office.accounts.rules import TITLES
from office.accounts.second_factor import ask_again, ask_again_at, is_recent, require_recent_second_factor
from office.publisher import reaching

PAGE_ROWS: Final = 50
AGAIN: Final = "Giving this role wants your second factor again. Press “Show second factor”, then give the role."
guard = for_roles("co-ordinator")


@guard
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Search and list the people of one's schemes."""
    own = rights(request).co_ordinates
    words = request.GET.get("q", "").replace("\0", "").strip()[:80]
    role = request.GET.get("role", "")
    found = Account.objects.filter(is_active=True)
    grants = RoleGrant.objects.filter(scheme__in=own)
    if role in ROLE_SLUGS:
        grants = grants.filter(role=role)
    found = found.filter(pk__in=grants.values("account"))
    if words:
        found = found.filter(Q(name__icontains=words) | Q(username__icontains=words))
    page = Paginator(found.order_by("name", "pk"), PAGE_ROWS).get_page(request.GET.get("page"))
    roles: dict[int, list[str]] = {}
    shown = RoleGrant.objects.filter(account__in=[one.pk for one in page], scheme__in=own).select_related("scheme")
    for grant in shown.order_by("scheme__number", "role"):
        roles.setdefault(grant.account_id, []).append(f"{TITLES[grant.role]}, {grant.scheme.name}")
    context = {
        "page": page,
        "rows": [(one, roles.get(one.pk, [])) for one in page],
        "q": words,
        "role": role,
        "roles": TITLES.items(),
        "query": urlencode({"q": words, "role": role}),
        "invitations": _invitations(own),
    }
    return render(request, "accounts/people.html", context)


def _invitations(own: frozenset[int]) -> list[Invitation]:
    rows = list(acts.open_invitations(own)[:PAGE_ROWS])
    for one in rows:
        one.title = TITLES[one.role]  # type: ignore[attr-defined]
    return rows


@guard
@require_GET
def one_person(request: HttpRequest, number: int) -> HttpResponse:
    """A person: their roles in one's schemes, and what can be done."""
    return _person_page(request, number, GiveRoleForm(schemes=rights(request).co_ordinates))


def _person_page(request: HttpRequest, number: int, form: GiveRoleForm) -> HttpResponse:
    own = rights(request)
    account = _seen(own, number)
    grants = RoleGrant.objects.filter(account=account, scheme__in=own.co_ordinates).select_related("scheme")
    context = {
        "account": account,
        "grants": [(grant, TITLES[grant.role]) for grant in grants.order_by("scheme__number", "role")],
        "form": form,
        "is_self": account.pk == own.account,
        "needs_second_factor": form.has_error("role", "second-factor"),
        "step_up": ask_again_at(request, reverse("person", args=[number])),
    }
    return render(request, "accounts/person.html", context)


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def correct_person(request: HttpRequest, number: int) -> HttpResponseBase:
    """Correct a person's name or e-mail address."""
    account = _seen(rights(request), number)
    form = PersonForm(request.POST or None, initial={"name": account.name, "email": account.email})
    if request.method == "GET" or not form.is_valid():
        why = rules.why_not_correct(rights(request), acts.standing_of(account))
        return render(request, "accounts/correct_person.html", {"account": account, "form": form, "why_not": why})
    try:
        with acting(request) as (actor, own):
            acts.correct_person(actor, own, _seen(own, number), **form.cleaned_data)
    except acts.RefusedError as e:
        messages.error(request, str(e))
        return redirect("person", number)
    messages.success(request, "The person is corrected.")
    return redirect("person", number)


@guard
@require_POST
def give_role(request: HttpRequest, number: int) -> HttpResponseBase:
    """Give a role in one of one's schemes."""
    form = GiveRoleForm(request.POST, schemes=rights(request).co_ordinates)
    if form.is_valid() and rules.is_grave(form.cleaned_data["role"]) and not is_recent(request):
        form.add_error("role", ValidationError(AGAIN, code="second-factor"))
    if not form.is_valid():
        return _person_page(request, number, form)
    scheme: Scheme = form.cleaned_data["scheme"]
    with acting(request) as (actor, own):
        account = _seen(own, number)
        if not rules.may_grant(own, frozenset({scheme.number})):
            raise Http404
        acts.give_role(actor, account, form.cleaned_data["role"], scheme)
    messages.success(request, f"{account.name} is now {TITLES[form.cleaned_data['role']]} in {scheme.name}.")
    return redirect("person", number)


@guard
@require_POST
def remove_role(request: HttpRequest, number: int) -> HttpResponseBase:
    """Remove a role in one of one's schemes."""
    form = GiveRoleForm(request.POST, schemes=rights(request).co_ordinates)
    if not form.is_valid():
        raise Http404
    scheme: Scheme = form.cleaned_data["scheme"]
    try:
        with acting(request) as (actor, own):
            account = _seen(own, number)
            if not rules.may_grant(own, frozenset({scheme.number})):
                raise Http404
            acts.remove_role(actor, account, form.cleaned_data["role"], scheme)
    except acts.RefusedError as e:
        messages.error(request, str(e))
        return redirect("person", number)
    messages.success(request, f"{TITLES[form.cleaned_data['role']]} in {scheme.name} is removed.")
    return redirect("home" if actor.pk == number else "person", *([] if actor.pk == number else [number]))


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def end_account(request: HttpRequest, number: int) -> HttpResponseBase:
    """End a person's account: asked once more, then at once and for good."""
    if request.method == "GET":
        own = rights(request)
        account = _seen(own, number)
        open_ones = _invitations(own.co_ordinates)
        gone = acts.invitations_of(own, account)
        gone += [one for one in open_ones if one.invited_by_id == account.pk and one not in gone]
        context = {
            "account": account,
            "why_not": rules.why_not_end(own, acts.standing_of(account)),
            "cancelled": gone,
            "left": [one for one in open_ones if one not in gone],
        }
        return render(request, "accounts/end_account.html", context)
    try:
        with acting(request) as (actor, own):
            account = _seen(own, number)
            taken_back = acts.end_account(actor, own, account).seen_by(own.co_ordinates).text
    except acts.RefusedError as e:
        messages.error(request, str(e))
        return redirect("person", number)
    if reaching.is_cut_off(number):
        messages.success(request, f"The account of {account.name} has ended. Their sessions end within seconds.")
    else:
        why = "NOT cut off at the control room yet: sign them out there, by telephone if need be."
        messages.error(request, f"The account of {account.name} has ended here, but is {why}")
    if taken_back:
        text = f"Taken back: {taken_back} that {account.name} had made. Make again what is still wanted."
        messages.warning(request, text)
    return redirect("people")


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def lost_phone(request: HttpRequest, number: int) -> HttpResponseBase:
    """Help somebody who lost their phone or key: a link, shown once."""
    form = RecoveryForm(request.POST or None)
    if request.method == "GET":
        own = rights(request)
        account = _seen(own, number)
        why = rules.why_not_recover(own, acts.standing_of(account))
        return render(request, "accounts/lost_phone.html", {"account": account, "form": form, "why_not": why})
    form = RecoveryForm(request.POST)
    form.is_valid()
    sets_password = bool(form.cleaned_data.get("sets_password"))
    with acting(request) as (actor, own):
        account = _seen(own, number)
        why = rules.why_not_recover(own, acts.standing_of(account))
        if why is not None:
            form.add_error(None, why)
            return render(request, "accounts/lost_phone.html", {"account": account, "form": form})
        link, withdrawn = acts.make_recovery_link(actor, account, sets_password=sets_password)
    context = {
        "name": account.name,
        "link": link,
        "kind": "recovery",
        "taken_back": withdrawn.seen_by(own.co_ordinates).text,
    }
    return render(request, "accounts/link.html", context)


@guard
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponseBase:
    """Invite a person by a link, shown once."""
    own_schemes = rights(request).co_ordinates
    if request.method == "GET":
        initial = {field: request.GET[field] for field in ("name", "email", "role") if field in request.GET}
        form = InviteForm(schemes=own_schemes, initial=initial | {"schemes": request.GET.getlist("schemes")})
        return render(request, "accounts/invite.html", {"form": form})
    form = InviteForm(request.POST, schemes=own_schemes)
    if form.is_valid() and rules.is_grave(form.cleaned_data["role"]) and not is_recent(request):
        typed = {field: request.POST[field] for field in ("name", "email", "role") if field in request.POST}
        query = urlencode(typed | {"schemes": request.POST.getlist("schemes")}, doseq=True)
        return ask_again(request, f"{reverse('invite')}?{query}")
    if not form.is_valid():
        return render(request, "accounts/invite.html", {"form": form})
    schemes = list(form.cleaned_data["schemes"])
    with acting(request) as (actor, own):
        if not rules.may_grant(own, frozenset(scheme.number for scheme in schemes)):
            raise Http404
        invitation, link = acts.invite(
            actor,
            name=form.cleaned_data["name"],
            email=form.cleaned_data["email"],
            role=form.cleaned_data["role"],
            schemes=schemes,
        )
    return render(request, "accounts/link.html", {"name": invitation.name, "link": link, "kind": "invitation"})


@guard
@require_POST
def cancel_invitation(request: HttpRequest, number: int) -> HttpResponseBase:
    """Take an invitation back."""
    with acting(request) as (actor, own):
        invitation = acts.open_invitations(own.co_ordinates).filter(pk=number).first()
        if invitation is None:
            raise Http404
        acts.cancel_invitation(actor, invitation)
    messages.success(request, f"The invitation of {invitation.name} no longer works.")
    return redirect("people")


def _seen(own: rules.Rights, number: int) -> Account:
    account = acts.seen(own, number)
    if account is None:
        raise Http404
    return account
