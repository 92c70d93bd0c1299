"""Forms of the second factor: a code is taken once, and passkeys are never locked by guessing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from cryptography.fernet import InvalidToken
from django import forms

from office.accounts.access import in_turn
from office.accounts.guessing import code_was_wrong, count_code
from office.accounts.models import Account, TotpUse
from office.accounts.telling import tell
from office.audit.journal import record
from wire.snapshots import PASSKEYS_MAX

logger = logging.getLogger(__name__)


def matching_counter(secret: str, code: str) -> int | None:
    """The newest time step, of those that are let in now, whose code this is."""
    found = [
        counter
        for counter in totp.yield_hotp_counters_from_time()
        if compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, counter)))
    ]
    return max(found, default=None)


def take_code(authenticator: Authenticator, code: str) -> bool:
    """Whether a code of an app or on paper is right, and then it is used up.

    A code of an app is taken only if it is newer than the last one taken, so it cannot be used twice, however far
    apart the clocks are.
    """
    try:
        if authenticator.type != Authenticator.Type.TOTP:
            return bool(authenticator.wrap().validate_code(code))
        counter = matching_counter(decrypt(authenticator.data["secret"]), code)
    except InvalidToken:
        logger.exception("account %d: its secrets were encrypted by another pages key", authenticator.user_id)
        return False
    if counter is None:
        return False
    TotpUse.objects.get_or_create(authenticator=authenticator)
    # One statement decides, should two requests bring the same code at once.
    return TotpUse.objects.filter(authenticator=authenticator, counter__lt=counter).update(counter=counter) == 1


class CodeMixin(forms.Form):
    """The field ``code``: six digits of the app, or a recovery code."""

    user: Account
    authenticator: Authenticator
    limit_key = "sign-in"
    """Guesses are counted apart for signing in and for stepping up: guessing one never shuts the other."""

    def clean_code(self) -> str:
        """Take the code.

        Raises:
            django.core.exceptions.ValidationError: wrong, used already, or too many guesses.
        """
        forget = count_code(self.user, self.limit_key)
        code: str = self.cleaned_data["code"]
        for authenticator in Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN):
            if self._take(authenticator, code):
                authenticator.user = self.user
                self.authenticator = authenticator
                forget()
                return code
        code_was_wrong(self.user, self.limit_key)
        raise get_adapter().validation_error("incorrect_code")

    def _take(self, authenticator: Authenticator, code: str) -> bool:
        with in_turn():
            is_taken = take_code(authenticator, code)
            if is_taken and authenticator.type == Authenticator.Type.RECOVERY_CODES:
                record(self.user, "recovery-code.used", self.user)
                tell(self.user, "A recovery code of yours was used. If this was not you, tell your co-ordinator.")
        return is_taken


class SignInCodeForm(CodeMixin, AuthenticateForm):  # type: ignore[misc]
    """After the password."""


class StepUpCodeForm(CodeMixin, ReauthenticateForm):  # type: ignore[misc]
    """Once more, before something grave."""

    limit_key = "step-up"


class NewAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new authenticator app; it cannot be used again to sign in."""

    def clean_code(self) -> str:
        """Check the code, and note which it was for :mod:`office.accounts.enrolment`."""
        code: str = super().clean_code()
        context.request.watchlink_totp_counter = matching_counter(self.secret, code)
        return code


class PasskeyMixin(forms.Form):
    """The field ``credential``: a passkey's answer. Nobody guesses one, so nothing is counted."""

    user: Account | None

    def clean_credential(self) -> Authenticator:
        """The passkey that answered.

        Raises:
            django.core.exceptions.ValidationError: it is not this person's, or did not answer our question.
        """
        credential = self.cleaned_data["credential"]
        with malformed_is_wrong():
            webauthn.parse_authentication_response(credential)
            user = self.user or webauthn.extract_user_from_response(credential)
            # The question, kept in the browser's session, asked for an unlocked passkey; the library checks that.
            return webauthn.complete_authentication(user, credential)


class SignInPasskeyForm(PasskeyMixin, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """After the password."""


class PasskeyAloneForm(PasskeyMixin, LoginWebAuthnForm):  # type: ignore[misc]
    """Instead of a password."""


class StepUpPasskeyForm(PasskeyMixin, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Once more, before something grave."""


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey. Each can sign in alone, so it must be unlocked by its owner (PIN, finger, face)."""

    passwordless = None
    name = forms.CharField(
        label="Name of the passkey",
        max_length=40,
        required=False,
        help_text="So that you recognise it in a list, for example “Key on my key ring”.",
    )

    def clean(self) -> dict[str, object]:
        """As the library, with ``passwordless`` always wanted, and no more than a snapshot lists."""
        if Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN).count() >= PASSKEYS_MAX:
            raise forms.ValidationError(f"You have {PASSKEYS_MAX} passkeys already. Remove one that you no longer use.")
        self.cleaned_data["passwordless"] = True
        with malformed_is_wrong():
            cleaned: dict[str, object] = super().clean()
        return cleaned


@contextmanager
def malformed_is_wrong() -> Iterator[None]:
    """The library stumbles over answers that no browser gives; they are wrong like any other.

    Raises:
        django.core.exceptions.ValidationError: instead of its errors.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise get_adapter().validation_error("incorrect_code") from e
