"""What the office wants otherwise of django-allauth: no sign-up, our words, secrets encrypted at rest."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from office.accounts.access import in_turn, person
from office.accounts.guessing import password_was_wrong
from office.accounts.models import Account
from office.accounts.second_factor import KINDS, has_second_factor, is_recent
from office.audit.journal import record

_GENERATION_KEY: Final = "watchlink_generation"
"""In the session of a sign-in under way: the account's generation when its password was accepted."""
NO_SECOND_FACTOR: Final = (
    "Your account has no second factor, so a password is not enough. Ask your co-ordinator for a recovery link."
)
TOO_MANY: Final = (
    "Too many attempts. Wait five minutes, or sign in with a passkey. Those who are signed in already are not affected."
)
_WAYS: Final = {
    Authenticator.Type.TOTP.value: "authenticator app",
    Authenticator.Type.WEBAUTHN.value: "passkey",
    Authenticator.Type.RECOVERY_CODES.value: "recovery code",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signing in."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "Username or password is wrong. Check both and try again.",
        "too_many_login_attempts": TOO_MANY,
        "rate_limited": TOO_MANY,
        "incorrect_code": "This code is wrong or was used already. Wait for the next one and type it in.",
        "incorrect_password": "The password is wrong. Try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: people are invited."""
        return False

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Errors only; that it worked, the next page shows."""
        if message:
            messages.add_message(request, level, message, extra_tags=extra_tags)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # The library's key contains the Host header with its port, so each port would begin a new count.
        return f"office:{str(credentials.get('username', '')).strip().lower()}"

    def pre_login(self, request: HttpRequest, user: Account, **rest: Any) -> HttpResponse | None:
        """Password or passkey are right: note of which generation, for the second factor may take minutes.

        A password alone never opens an account that has no second factor (yet, or since a phone was lost): that takes
        the link as well.
        """
        if user.is_active and not has_second_factor(user) and not getattr(request, "watchlink_by_link", False):
            clear_login(request)
            messages.error(request, NO_SECOND_FACTOR)
            return cast("HttpResponse", redirect("account_login"))
        request.session[_GENERATION_KEY] = user.generation
        return cast("HttpResponse | None", super().pre_login(request, user, **rest))

    def login(self, request: HttpRequest, user: Account) -> None:
        """All is right: sign in, unless the account ended or changed its password on the way."""
        ways = [_WAYS.get(one.get("type", one["method"]), one["method"]) for one in self._shown(request, user)]
        if getattr(request, "watchlink_by_link", False):
            ways.insert(0, "link")
        with in_turn():
            now = Account.objects.get(pk=user.pk)
            if not now.is_active or now.generation != request.session.pop(_GENERATION_KEY, None):
                clear_login(request)
                raise ImmediateHttpResponse(self.respond_user_inactive(request, now))
            super().login(request, user)
            record(now, "account.signed-in", now, way=", ".join(dict.fromkeys(ways)))

    @staticmethod
    def _shown(request: HttpRequest, user: Account) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = get_authentication_records(request, user)
        return found

    def logout(self, request: HttpRequest) -> None:
        """The person signs out."""
        with in_turn():
            record(person(request), "account.signed-out", person(request))
            super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong name or password."""
        account = Account.objects.filter(username=str(credentials.get("username", "")).strip().lower()).first()
        if account is not None and account.is_active:
            password_was_wrong(account, self._get_login_attempts_cache_key(request, **credentials))

    def respond_user_inactive(self, request: HttpRequest, user: Account) -> HttpResponse:
        """As for a wrong password: whether an account has ended is nobody's business."""
        messages.error(request, self.error_messages["username_password_mismatch"])
        return redirect("account_login")

    def is_reauthentication_required(self, *, app: str, **rest: Any) -> bool:
        """Before sign-in methods change: yes, unless there is none yet or a second factor was shown just now."""
        request = context.request
        return has_second_factor(request.user) and not is_recent(request)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Our own words go out instead (:mod:`office.accounts.telling`)."""


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Authenticator apps, passkeys, recovery codes."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_delete_authenticator": "This is your only second factor. Add another one first.",
    }

    def encrypt(self, text: str) -> str:
        """For the database."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """From the database.

        Raises:
            cryptography.fernet.InvalidToken: it was encrypted by another key.
        """
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last one."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=KINDS)
        return bool(others.exclude(pk=authenticator.pk).exists())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The first of our host names, whatever the request says: passkeys are bound to it."""
        return {"id": settings.PASSKEY_HOST, "name": "Watchlink"}

    def get_public_key_credential_user_entity(self, user: Account) -> dict[str, Any]:
        """As the library, with the person's name."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"display_name": user.name, "name": user.username}

    def _get_user_identifier(self, user: Account) -> str:
        return user.username

    def generate_authenticator_name(self, user: Account, type: str) -> str:  # noqa: A002 - the library's name
        """What a new passkey is called unless the person names it."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}"


def _fernet() -> Fernet:
    key = hashlib.sha256(b"watchlink/1/office authenticator secrets\n" + settings.PAGES_KEY).digest()
    return Fernet(base64.urlsafe_b64encode(key))
