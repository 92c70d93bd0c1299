"""The second factor of the session behind a request: whether, when, and guards for views that want it just now."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Final

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from office.accounts.access import P, View, person
from office.accounts.models import Account

RECENT_S: Final = 300
"""A second factor is shown just now if it is no older."""
FOR_CENTRAL_S: Final = 240
"""The same, for a ticket that has a minute to live."""
KINDS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(account: Account) -> bool:
    """Whether the person has an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user=account, type__in=KINDS).exists())


def second_factor_age_s(request: HttpRequest) -> int | None:
    """Seconds since the person last showed a second factor in this session; ``None`` = not in it.

    A clock that was set back says nothing useful: the second factor then counts as one hour old.
    """
    shown = [record for record in get_authentication_records(request, person(request)) if record["method"] == "mfa"]
    if not shown:
        return None
    age_s = time.time() - shown[-1]["at"]
    return int(age_s) if age_s >= 0 else 3_600


def is_recent(request: HttpRequest, within_s: int = RECENT_S) -> bool:
    """Whether the person showed a second factor just now."""
    age_s = second_factor_age_s(request)
    return age_s is not None and age_s <= within_s


def ask_again_at(request: HttpRequest, back_to: str) -> str:
    """Address of the page that asks for the second factor and leads to ``back_to``, a path of ours."""
    has_passkey = Authenticator.objects.filter(user=person(request), type=Authenticator.Type.WEBAUTHN).exists()
    page = "mfa_reauthenticate_webauthn" if has_passkey else "mfa_reauthenticate"
    return f"{reverse(page)}?{urlencode({'next': back_to})}"


def ask_again(request: HttpRequest, back_to: str) -> HttpResponseBase:
    """To the page that asks for the second factor, and from there to ``back_to``, a path of ours."""
    return redirect(ask_again_at(request, back_to))


def require_recent_second_factor(view: View[P]) -> View[P]:
    """A view that wants a second factor shown at most five minutes ago: otherwise the person is asked first.

    A form is asked for before it is filled in, so nothing typed is lost.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_recent(request):
            return ask_again(request, request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


class EnrolmentGuard:
    """Middleware: a person without a second factor sees nothing but the pages on which they set one up."""

    OPEN: Final = frozenset(
        {"second_factor", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "account_logout"}
    )
    """Names of the addresses that stay open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """As Django calls it."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponseBase | None:
        """As Django calls it, when the address is known."""
        account = request.user
        if not isinstance(account, Account) or has_second_factor(account):
            return None
        match = request.resolver_match
        return None if match is not None and match.view_name in self.OPEN else redirect("second_factor")
