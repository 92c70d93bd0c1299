"""What every page shows: what the person may open, and what they have not read yet."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from office.accounts.access import rights
from office.accounts.models import Account, Notice


def office(request: HttpRequest) -> dict[str, Any]:
    """Template variables ``rights`` (of nobody, if nobody is signed in) and ``notices``."""
    account = getattr(request, "user", None)
    if not isinstance(account, Account):
        return {"notices": ()}
    return {"rights": rights(request), "notices": Notice.objects.filter(account=account, read_at=None).order_by("pk")}
