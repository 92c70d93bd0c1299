"""What follows when sign-in methods change: recorded and told, in the transaction of the change."""

from __future__ import annotations

from typing import Final

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest

from office.accounts.models import Account, TotpUse
from office.accounts.telling import tell
from office.accounts.withdrawal import withdraw_made_by
from office.audit.journal import record

METHOD_WORDS: Final = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}
"""What is added and removed, for people."""


def method_added(request: HttpRequest, account: Account, kind: str) -> None:
    """A new app or passkey, which the person has just shown, so it counts as a second factor of this session."""
    authenticator = Authenticator.objects.filter(user=account, type=kind).latest("pk")
    word = METHOD_WORDS[authenticator.type]
    record(account, "sign-in-method.added", account, method=word)
    tell(account, f"A new {word} was added to your account. If this was not you, tell your co-ordinator at once.")
    record_authentication(request, account, "mfa", id=authenticator.pk, type=authenticator.type)
    counter = getattr(request, "watchlink_totp_counter", None)
    if kind == Authenticator.Type.TOTP and counter is not None:
        TotpUse.objects.create(authenticator=authenticator, counter=counter)


def method_removed(request: HttpRequest, account: Account, kind: str) -> None:
    """One less, with the links that the person made: whoever had stolen it could have made them."""
    word = METHOD_WORDS[Authenticator.Type(kind)]
    record(account, "sign-in-method.removed", account, method=word)
    tell(account, f"The {word} of your account was removed. If this was not you, tell your co-ordinator at once.")
    take_links_back(request, account)


def recovery_codes_made(request: HttpRequest, account: Account) -> None:
    """New recovery codes; the old ones are void, with the links that the person made."""
    record(account, "recovery-codes.made", account)
    tell(account, "New recovery codes were made for your account. The old ones no longer work.")
    take_links_back(request, account)


def take_links_back(request: HttpRequest, account: Account) -> None:
    """Void the open links that a person made, and tell them: whoever had what they replace could have made them."""
    withdrawn = withdraw_made_by(account, account)
    if withdrawn.told:
        tell(account, withdrawn.told)
        messages.warning(request, withdrawn.told)
