"""Pages behind one-time links: joining, and coming back after something was lost. Open to strangers with the link."""

from __future__ import annotations

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from office.accounts import redeeming
from office.accounts.access import acting
from office.accounts.forms import ForgottenPasswordForm, JoinForm, KnownPasswordForm
from office.accounts.guessing import is_right
from office.accounts.models import Account
from office.accounts.rules import TITLES


@login_not_required
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponseBase:
    """Redeem an invitation: a new account, or a role more for whoever is signed in."""
    try:
        invitation = redeeming.open_invitation(token)
    except redeeming.LinkVoidError:
        return _void(request, "invitation")
    context = {
        "invitation": invitation,
        "title": TITLES[invitation.role],
        "schemes": ", ".join(invitation.schemes.values_list("name", flat=True)),
        "has_account": isinstance(request.user, Account),
    }
    if isinstance(request.user, Account):
        return _add_role(request, token, context)
    form = JoinForm(request.POST or None)
    # Not by address: a team that was invited to a meeting joins from there. What is secret is the link itself, of 192
    # random bits; what one link can find out is which usernames are taken, and so each has a count of its own.
    if request.method == "POST" and is_right(form, f"join {invitation.pk}", by_address=False):
        try:
            with transaction.atomic():
                account = redeeming.join(
                    token, username=form.cleaned_data["username"], password=form.cleaned_data["password"]
                )
        except redeeming.LinkVoidError:
            return _void(request, "invitation")
        except IntegrityError:
            form.add_error("username", "This username is taken. Choose another one.")
        else:
            return _sign_in(request, account)
    return render(request, "accounts/join.html", context | {"form": form})


def _add_role(request: HttpRequest, token: str, context: dict[str, object]) -> HttpResponseBase:
    if request.method == "GET":
        return render(request, "accounts/join.html", context)
    try:
        with acting(request) as (account, _):
            redeeming.add_role(token, account)
    except redeeming.LinkVoidError:
        return _void(request, "invitation")
    messages.success(request, f"You are now {context['title']} in {context['schemes']}.")
    return redirect("home")


@login_not_required
@require_http_methods(["GET", "POST"])
def recover(request: HttpRequest, token: str) -> HttpResponseBase:
    """Come back after something was lost: by the password, or by a new one; then a new second factor is set up."""
    try:
        link = redeeming.open_recovery(token)
    except redeeming.LinkVoidError:
        return _void(request, "recovery")
    kind = ForgottenPasswordForm if link.sets_password else KnownPasswordForm
    form = kind(request.POST or None, account=link.account)
    if request.method == "POST" and is_right(form, f"recover {link.account.pk}"):
        new_password = form.cleaned_data["password"] if link.sets_password else None
        try:
            account = redeeming.recover(token, new_password)
        except redeeming.LinkVoidError:
            return _void(request, "recovery")
        return _sign_in(request, account)
    return render(request, "accounts/recover.html", {"form": form, "link": link})


def _sign_in(request: HttpRequest, account: Account) -> HttpResponseBase:
    request.watchlink_by_link = True  # type: ignore[attr-defined]
    if request.user.is_authenticated:
        # Somebody else's browser session must not be mixed with this one.
        request.session.flush()
    record_authentication(request, account, "password")
    answer: HttpResponseBase = perform_login(request, Login(user=account))
    return answer


def _void(request: HttpRequest, kind: str) -> HttpResponse:
    return render(request, "accounts/link_void.html", {"kind": kind}, status=410)
