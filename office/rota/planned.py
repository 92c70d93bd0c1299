"""Reads the plan, and who can be on duty, from the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import cast

from django.db import models

from office.accounts.models import Account, RoleGrant
from office.rota.models import POST_ROLES, RotaCover, RotaOverride, RotaPattern
from office.rota.rules.plan import Plan, Post, Shift, shifts
from office.rota.rules.reading import able
from office.rota.rules.spans import Span
from office.rota.rules.wall_time import london
from wire.snapshots import AnsweringRole

_BEFORE = timedelta(days=2)
"""A shift that meets a window may have begun, and been changed, so long before it; and end so long after."""


def plan(window: Span, schemes: Collection[int] | None = None) -> Plan:
    """What holds in a window.

    Args:
        window: where.
        schemes: of which; ``None`` = all.
    """
    first, last = london(window.begins_at - _BEFORE).date(), london(window.ends_at + _BEFORE).date()
    holds = models.Q(first__lte=last) & (models.Q(last=None) | models.Q(last__gte=first))
    near = models.Q(begins_at__lt=window.ends_at + _BEFORE, ends_at__gt=window.begins_at - _BEFORE)
    own = models.Q() if schemes is None else models.Q(scheme__in=schemes)
    return Plan(
        [one.pattern() for one in RotaPattern.objects.filter(holds, own).order_by("pk")],
        [one.override() for one in RotaOverride.objects.filter(near, own).order_by("pk")],
        [one.cover() for one in RotaCover.objects.filter(holds, own).order_by("pk")],
    )


def holders(schemes: Collection[int] | None = None) -> frozenset[tuple[int, Post]]:
    """(account, post) of everybody who can be on duty."""
    found = RoleGrant.objects.filter(role__in=POST_ROLES, account__is_active=True)
    if schemes is not None:
        found = found.filter(scheme__in=schemes)
    rows = found.values_list("account_id", "role", "scheme_id")
    return frozenset((account, Post(cast("AnsweringRole", role), scheme)) for account, role, scheme in rows)


def good_shifts(window: Span, schemes: Collection[int] | None = None) -> list[Shift]:
    """Shifts that meet a window, of people who can be on duty."""
    return able(shifts(plan(window, schemes), window), holders(schemes))[0]


def names_of(accounts: Iterable[int]) -> dict[int, str]:
    """Names by number of account, those that have ended too."""
    return dict(Account.objects.filter(pk__in=set(accounts)).values_list("pk", "name"))
