"""Limits on guesses at passwords and codes, and who hears of it when one is reached."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final, cast

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.core.internal import ratelimit
from django import forms
from django.core.cache import cache
from django.db import transaction
from django.forms.utils import ErrorDict

from office.accounts.models import Account
from office.accounts.telling import tell
from office.audit.journal import record

BY_ADDRESS: Final = "10/m/ip"
BY_KEY: Final = "5/5m/key"
CODES_A_DAY: Final = "20/d/key"
"""Whoever guesses codes has the password already. Of passwords there is no such limit: strangers would use it to shut
people out for a day."""
_ACTION: Final = "login_failed"
_TURN_WITHIN_S: Final = 5
"""Requests count one after the other. Who does not get a turn is told of too many attempts, and on a busy machine the
library's one second is soon over when a team comes from one address."""
ratelimit.CACHE_LOCK_WAIT_TIMEOUT = _TURN_WITHIN_S
_TOLD_FOR_S: Final = 86_400


def count_guess(key: str, *, by_address: bool = True) -> Callable[[], None]:
    """Count a guess, by ``key`` and by address unless told otherwise; returns what takes it back once it was right.

    Earlier wrong guesses stay counted: who signs in properly now and then must not guess on for ever.

    Raises:
        django.core.exceptions.ValidationError: too many.
    """
    return _count(f"{BY_ADDRESS},{BY_KEY}" if by_address else BY_KEY, key)


def count_code(account: Account, where: str) -> Callable[[], None]:
    """The same for a guess at a code of an account's, which also counts for the day.

    A new password, like all that raises the generation, begins a new count.

    Args:
        account: whose code.
        where: counted apart for each.

    Raises:
        django.core.exceptions.ValidationError: too many.
    """
    return _count(f"{BY_ADDRESS},{BY_KEY},{CODES_A_DAY}", _code_key(account, where))


def code_was_wrong(account: Account, where: str) -> None:
    """If this was the last guess that is allowed: record it and tell the person, once a day."""
    key = _code_key(account, where)
    if _is_used_up(f"{BY_KEY},{CODES_A_DAY}", key) and _is_first_today(key):
        with transaction.atomic():
            record(None, "codes.locked", account, at=where)
            tell(
                account,
                "Too many wrong codes were typed for your account, by somebody who knows your password or is signed in"
                " as you. If this was not you, change your password at once and tell your co-ordinator.",
            )


def password_was_wrong(account: Account, key: str) -> None:
    """If this was the last guess that is allowed: record it, once a day. Anybody can cause it, so nobody is told."""
    if _is_used_up(BY_KEY, key) and _is_first_today(key):
        record(None, "password.locked", account)


def is_right(form: forms.Form, key: str, *, by_address: bool = True) -> bool:
    """Whether a form with a secret in it is filled in rightly; a wrong one counts as a guess (:func:`count_guess`).

    After too many guesses the form says so, and nothing else is checked: the answer would answer the guess.
    """
    try:
        forget = count_guess(key, by_address=by_address)
    except forms.ValidationError as e:
        form.cleaned_data = {}
        form._errors = ErrorDict()  # type: ignore[attr-defined]  # noqa: SLF001 - or it would check the fields
        form.add_error(None, e)
        return False
    if form.is_valid():
        forget()
        return True
    return False


def _count(rates: str, key: str) -> Callable[[], None]:
    usage = ratelimit.consume(context.request, app="allauth.account", action=_ACTION, config={_ACTION: rates}, key=key)
    if usage is None:
        raise get_adapter().validation_error("too_many_login_attempts")
    return cast("Callable[[], None]", usage.rollback)


def _is_used_up(rates: str, key: str) -> bool:
    return any(
        ratelimit.consume(
            context.request, app="allauth.account", action=_ACTION, config={_ACTION: rate}, key=key, dry_run=True
        )
        is None
        for rate in rates.split(",")
    )


def _is_first_today(key: str) -> bool:
    digest = sha256(key.encode()).hexdigest()
    return bool(cache.add(f"office-guesses-told:{digest}", value=True, timeout=_TOLD_FOR_S))


def _code_key(account: Account, where: str) -> str:
    return f"code {where} {account.pk} {account.generation}"
