"""The person's own account: sign-in methods, password, sessions, printed codes."""

from __future__ import annotations

import secrets
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from office.accounts import redeeming, sessions
from office.accounts.access import acting, person, rights
from office.accounts.browsers import browser_text
from office.accounts.enrolment import take_links_back
from office.accounts.forms import ChangePasswordForm
from office.accounts.guessing import is_right
from office.accounts.models import Notice, OfficeSession, PrintedCode
from office.accounts.second_factor import has_second_factor, require_recent_second_factor
from office.accounts.telling import tell
from office.accounts.withdrawal import withdraw_made_by
from office.audit.journal import record
from wire.printed_codes import code_digest, code_text
from wire.snapshots import PRINTED_CODES_MAX


@require_POST
def read_notice(request: HttpRequest, number: int) -> HttpResponseBase:
    """The person has read a notice."""
    Notice.objects.filter(pk=number, account=person(request), read_at=None).update(read_at=timezone.now())
    return redirect("home")


@require_GET
def second_factor(request: HttpRequest) -> HttpResponseBase:
    """Choose a second factor: nothing else is open until there is one."""
    if has_second_factor(person(request)):
        return redirect("mfa_index")
    return render(request, "accounts/second_factor.html")


@require_GET
def own_account(request: HttpRequest) -> HttpResponse:
    """How the person signs in, and where they are signed in."""
    account = person(request)
    methods = list(Authenticator.objects.filter(user=account).order_by("created_at"))
    running = OfficeSession.objects.filter(
        account=account,
        generation=account.generation,
        ended_at=None,
        seen_at__gt=timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
    codes = PrintedCode.objects.filter(account=account)
    return render(
        request,
        "accounts/own_account.html",
        {
            "person": account,
            "is_contact": rights(request).speaks_for_members,
            "passkeys": [method.wrap() for method in methods if method.type == Authenticator.Type.WEBAUTHN],
            "app": next((method for method in methods if method.type == Authenticator.Type.TOTP), None),
            "codes_left": sum(
                len(method.wrap().get_unused_codes())
                for method in methods
                if method.type == Authenticator.Type.RECOVERY_CODES
            ),
            "sessions": [(session, browser_text(session.agent)) for session in running.order_by("-seen_at")],
            "this_session": request.session[sessions.SESSION_KEY],
            "sheet_made_at": codes.values_list("made_at", flat=True).first(),
        },
    )


@require_POST
def end_session(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """End one of one's own sessions."""
    with acting(request) as (account, _):
        has_ended = sessions.end_session(account, public_id)
        if has_ended:
            record(account, "session.ended", account)
    if has_ended:
        messages.success(request, "The session has ended.")
    return redirect("mfa_index")


@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponseBase:
    """End all of one's own sessions, this one and those in the control room included, and void the links one made."""
    with acting(request) as (account, _):
        sessions.end_all_sessions(account)
        record(account, "sessions.ended", account)
        withdrawn = withdraw_made_by(account, account)
        if withdrawn.told:
            tell(account, f"You signed out everywhere. {withdrawn.told}")
        logout(request)
    messages.success(request, "You are signed out everywhere.")
    if withdrawn.told:
        messages.warning(request, withdrawn.told)
    return redirect("account_login")


@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponseBase:
    """A new password; every other session of the person ends, and the links that they made are void."""
    form = ChangePasswordForm(request.POST or None, account=person(request))
    if request.method == "POST" and is_right(form, f"change password {person(request).pk}"):
        with acting(request) as (account, _):
            redeeming.set_password(account, form.cleaned_data["password"])
            OfficeSession.objects.filter(pk=request.session[sessions.SESSION_KEY]).update(generation=account.generation)
            record(account, "password.changed", account)
            tell(account, "Your password was changed. If this was not you, tell your co-ordinator at once.")
            take_links_back(request, account)
        # Django's own check of the session, and a new key for it.
        update_session_auth_hash(request, account)
        messages.success(request, "Your password is changed. Your other sessions have ended.")
        return redirect("mfa_index")
    return render(request, "accounts/change_password.html", {"form": form})


@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def printed_codes(request: HttpRequest) -> HttpResponse:
    """A sheet of one-time codes for the control room, shown once; a new one replaces the old one."""
    if request.method == "GET":
        return render(request, "accounts/printed_codes.html", {"has_sheet": person(request).printed_codes.exists()})
    codes = [code_text(secrets.token_bytes(10)) for _ in range(PRINTED_CODES_MAX)]
    with acting(request) as (account, _):
        PrintedCode.objects.filter(account=account).delete()
        PrintedCode.objects.bulk_create(
            PrintedCode(account=account, digest=code_digest(account.pk, code) or "") for code in codes
        )
        record(account, "printed-codes.made", account)
        tell(account, "A sheet of printed codes was made for your account. An older sheet no longer works.")
    return render(request, "accounts/printed_sheet.html", {"person": account, "codes": codes})
