"""Rights of the person behind a request, and guards for views.

Every view wants a person who is signed in (Django's middleware) unless it is marked ``login_not_required``. A guard
answers 404, not 403: what one may not see looks like what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponseBase

from office.accounts.models import Account, RoleGrant
from office.accounts.rules import NOBODY, Rights
from wire.snapshots import RoleSlug

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def rights_of(account: Account) -> Rights:
    """As the database says now."""
    grants = RoleGrant.objects.filter(account=account, account__is_active=True).values_list("role", "scheme_id")
    return Rights(account.pk, frozenset(grants))


def rights(request: HttpRequest) -> Rights:
    """Of the person who is signed in; asked of the database once for each request."""
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
