"""What every page shows: what the person may open, and what they have not read yet."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from office.accounts.access import rights
from office.accounts.models import Account, Notice


def office(request: HttpRequest) -> dict[str, Any]:
    """Template variables ``rights`` and ``notices`` of the person who is signed in, and ``has_inter``."""
    has_inter = settings.OFFICE is not None and settings.OFFICE.inter_font_dir.is_dir()
    account = getattr(request, "user", None)
    if not isinstance(account, Account):
        return {"has_inter": has_inter, "notices": ()}
    notices = Notice.objects.filter(account=account, read_at=None).order_by("pk")
    return {"has_inter": has_inter, "notices": notices, "rights": rights(request)}
