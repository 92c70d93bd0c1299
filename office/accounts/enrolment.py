"""What follows when sign-in methods change: recorded, told, and the new one counts as shown."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.dispatch import receiver
from django.http import HttpRequest

from office.accounts.models import Account, TotpUse
from office.accounts.second_factor import KINDS
from office.accounts.telling import tell
from office.audit.journal import record

_WORDS: Final = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


@receiver(signals.authenticator_added)
def on_added(request: HttpRequest, user: Account, authenticator: Authenticator, **_: Any) -> None:  # noqa: ANN401
    """A new one: the person has just shown it."""
    word = _WORDS[authenticator.type]
    record(user, "sign-in-method.added", user, method=word)
    if authenticator.type in KINDS:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
        tell(user, f"A new {word} was added to your account. If this was not you, tell your co-ordinator at once.")
    counter = getattr(request, "watchlink_totp_counter", None)
    if authenticator.type == Authenticator.Type.TOTP and counter is not None:
        TotpUse.objects.update_or_create(authenticator=authenticator, defaults={"counter": counter})


@receiver(signals.authenticator_removed)
def on_removed(user: Account, authenticator: Authenticator, **_: Any) -> None:  # noqa: ANN401
    """One less."""
    word = _WORDS[authenticator.type]
    record(user, "sign-in-method.removed", user, method=word)
    tell(user, f"The {word} of your account was removed. If this was not you, tell your co-ordinator at once.")


@receiver(signals.authenticator_reset)
def on_reset(user: Account, **_: Any) -> None:  # noqa: ANN401
    """New recovery codes; the old ones are void."""
    record(user, "recovery-codes.made", user)
    tell(user, "New recovery codes were made for your account. The old ones no longer work.")
