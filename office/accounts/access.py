"""Rights of the person behind a request, and guards for views.

Every view wants a person who is signed in (Django's middleware) unless it is marked ``login_not_required``. A guard
answers 404, not 403: what one may not see looks like what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase

from office.accounts.models import Account, OfficeSession, RoleGrant, Scheme
from office.accounts.rules import NOBODY, Rights
from wire.snapshots import RoleSlug

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class SessionOverError(Exception):
    """The account or the session ended while the request was on its way; nothing was done."""


def rights_of(account: Account) -> Rights:
    """As the database says now."""
    grants = RoleGrant.objects.filter(account=account, account__is_active=True).values_list("role", "scheme_id")
    return Rights(account.pk, frozenset(grants))


def rights(request: HttpRequest) -> Rights:
    """Of the person who is signed in; asked of the database once for each request. For what is shown."""
    known: Rights | None = getattr(request, "watchlink_rights", None)
    if known is None:
        person = request.user
        known = rights_of(person) if isinstance(person, Account) else NOBODY
        request.watchlink_rights = known  # type: ignore[attr-defined]
    return known


def person(request: HttpRequest) -> Account:
    """Who is signed in; only for views that want one."""
    assert isinstance(request.user, Account)
    return request.user


@contextmanager
def in_turn() -> Iterator[None]:
    """A transaction for a change of people, their rights or ways in. Such changes wait for one another.

    What was checked still holds when it is written, and no two wait for each other's rows and the audit's lock.
    """
    with transaction.atomic():
        # Without a lock on common rows two co-ordinators could each remove the other.
        list(Scheme.objects.select_for_update(no_key=True).order_by("number").values_list("pk"))
        yield


@contextmanager
def acting(request: HttpRequest) -> Iterator[tuple[Account, Rights]]:
    """A transaction for a change by the person who is signed in: yields the account and its rights, read inside it.

    Raises:
        SessionOverError: the account or the session has ended meanwhile. The middleware answers it.
    """
    with in_turn():
        asked = person(request)
        account = Account.objects.filter(pk=asked.pk, is_active=True, generation=asked.generation).first()
        session: OfficeSession | None = getattr(request, "office_session", None)
        if (
            account is None
            or session is None
            or not OfficeSession.objects.filter(pk=session.pk, ended_at=None).exists()
        ):
            raise SessionOverError
        yield account, rights_of(account)


def for_roles(*roles: RoleSlug) -> Callable[[View[P]], View[P]]:
    """A view for people who have one of ``roles`` in some scheme; to others it does not exist."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not rights(request).schemes(*roles):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return guard
