"""Sign-in methods, by the library's views with our rules.

Passkeys sign in alone, the last method stays, an account that ends meanwhile gets none, and each change is recorded in
its own transaction.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy

from office.accounts import enrolment
from office.accounts.access import acting, person


class AddAppView(ActivateTOTPView):  # type: ignore[misc]
    """A new authenticator app."""

    def form_valid(self, form: object) -> HttpResponseBase:
        """Add it."""
        with acting(self.request) as (account, _):
            answer: HttpResponseBase = super().form_valid(form)
            enrolment.method_added(self.request, account, Authenticator.Type.TOTP)
            return answer


class RemoveAppView(DeactivateTOTPView):  # type: ignore[misc]
    """Remove the app, but not the last second factor; the library asks our adapter."""

    def form_valid(self, form: object) -> HttpResponseBase:
        """Remove it, or say why not: another method may have gone since the form was checked."""
        with acting(self.request) as (account, _):
            if not get_adapter().can_delete_authenticator(self.authenticator):
                return _stays(self.request)
            answer: HttpResponseBase = super().form_valid(form)
            enrolment.method_removed(self.request, account, Authenticator.Type.TOTP)
            return answer


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]
    """A new passkey, of the kind that signs in alone: with it people get into the control room without the office."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - as the library
        """As the library, but the browser is asked for a passkey that it finds by itself and that is unlocked."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        options = webauthn.begin_registration(person(self.request), passwordless=True)
        return context | {"js_data": {"creation_options": options}}

    def form_valid(self, form: object) -> HttpResponseBase:
        """Add it."""
        with acting(self.request) as (account, _):
            answer: HttpResponseBase = super().form_valid(form)
            enrolment.method_added(self.request, account, Authenticator.Type.WEBAUTHN)
            return answer


class RemovePasskeyView(RemoveWebAuthnView):  # type: ignore[misc]
    """Remove a passkey, but not the last second factor."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: object) -> HttpResponseBase:
        """Remove it, or say why not."""
        with acting(self.request) as (account, _):
            if not get_adapter().can_delete_authenticator(self.get_object()):
                return _stays(self.request)
            answer: HttpResponseBase = super().form_valid(form)
            enrolment.method_removed(self.request, account, Authenticator.Type.WEBAUTHN)
            return answer


class NewRecoveryCodesView(GenerateRecoveryCodesView):  # type: ignore[misc]
    """New recovery codes; the old ones are void, and the links that the person made."""

    def form_valid(self, form: object) -> HttpResponseBase:
        """Make them."""
        with acting(self.request) as (account, _):
            answer: HttpResponseBase = super().form_valid(form)
            enrolment.recovery_codes_made(self.request, account)
            return answer


def _stays(request: HttpRequest) -> HttpResponseBase:
    messages.error(request, get_adapter().error_messages["cannot_delete_authenticator"])
    return redirect("mfa_index")
