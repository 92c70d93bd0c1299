"""Sessions at the office: begun by a sign-in, void when ended or when the account's generation has moved on.

No clock decides: a row that is ended, and a number that differs, say the same to every program.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.db.models import F, QuerySet
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from office.accounts.access import SessionOverError
from office.accounts.models import AGENT_CHARS_MAX, Account, OfficeSession
from wire.snapshots import ENDED_SESSIONS_MAX
from wire.text import display_text

SESSION_KEY: Final = "watchlink_session"
"""In the browser's session at the office: the public id."""
TOLD_FOR: Final = timedelta(hours=36)
"""How long central must hear of a session's end: a shift there, 12 h from a ticket, and a day for clocks."""
_SEEN_EVERY: Final = timedelta(minutes=1)


@receiver(user_logged_in)
def begin_session(request: HttpRequest, user: Account, **_: Any) -> None:  # noqa: ANN401 - a signal's rest
    """Write the row of a session that has just begun."""
    session = OfficeSession.objects.create(
        public_id=secrets.token_hex(16),
        account=user,
        generation=user.generation,
        agent=display_text(request.META.get("HTTP_USER_AGENT", ""), AGENT_CHARS_MAX),
        address=request.META.get("REMOTE_ADDR") or None,
    )
    request.session[SESSION_KEY] = session.public_id


@receiver(user_logged_out)
def end_own_session(request: HttpRequest, user: Account | None, **_: Any) -> None:  # noqa: ANN401
    """End the row of a session that is signed out."""
    public_id = request.session.get(SESSION_KEY)
    if user is not None and public_id is not None:
        end_session(user, public_id)


def current(request: HttpRequest, account: Account) -> OfficeSession | None:
    """The session behind a request, if it is still good."""
    found = OfficeSession.objects.filter(
        public_id=request.session.get(SESSION_KEY, ""),
        account=account,
        ended_at=None,
        generation=account.generation,
    )
    return found.first() if account.is_active else None


def end_session(account: Account, public_id: str) -> bool:
    """End one session of a person; returns whether it was running.

    Snapshots list a bounded number of ended sessions: beyond that all of them end. Only those count that may be open at
    central still.
    """
    now = timezone.now()
    with transaction.atomic():
        ended = OfficeSession.objects.filter(public_id=public_id, account=account, ended_at=None).update(ended_at=now)
        told = ended_at_central().filter(account=account, ended_at__gt=now - TOLD_FOR)
        if ended and told.count() > ENDED_SESSIONS_MAX:
            end_all_sessions(account)
    return bool(ended)


def ended_at_central() -> QuerySet[OfficeSession]:
    """Ended sessions that central may know, of all accounts' present generations, the newest end first.

    No clock decides which they are: the snapshot takes as many as it lists, and :func:`end_session` sees to it that
    those of the last shift are among them.
    """
    of_now = OfficeSession.objects.filter(generation=F("account__generation"), had_ticket=True)
    return of_now.exclude(ended_at=None).order_by("-ended_at", "pk")


def mark_ticket(session: OfficeSession) -> None:
    """Note that a session gets a ticket, before it does.

    Raises:
        SessionOverError: it has ended meanwhile, and central might never hear of it.
    """
    if not OfficeSession.objects.filter(pk=session.pk, ended_at=None).update(had_ticket=True):
        raise SessionOverError


def end_all_sessions(account: Account) -> None:
    """Raise the account's generation: every session of theirs is over, at central too."""
    Account.objects.filter(pk=account.pk).update(generation=F("generation") + 1)
    account.refresh_from_db(fields=["generation"])


class SessionGuard:
    """Middleware: a session that is over is signed out before any view sees it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """As Django calls it."""
        person = request.user
        if not isinstance(person, Account):
            return self._get_response(request)
        session = current(request, person)
        if session is None:
            return _sign_out(request)
        now = timezone.now()
        if not session.seen_at <= now < session.seen_at + _SEEN_EVERY:
            OfficeSession.objects.filter(pk=session.pk).update(seen_at=now)
        request.office_session = session  # type: ignore[attr-defined]
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """As Django calls it: the account ended in the middle of an act, which was not done."""
        return _sign_out(request) if isinstance(exception, SessionOverError) else None


def _sign_out(request: HttpRequest) -> HttpResponseBase:
    logout(request)
    messages.warning(request, "You have been signed out, and nothing was changed. Please sign in again.")
    return redirect("account_login")
