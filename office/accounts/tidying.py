"""Removes what is long over. Nothing that decides anything is removed by a clock that is an hour wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.sessions.models import Session
from django.utils import timezone

from office.accounts.models import Notice, OfficeSession

SESSIONS_KEPT: Final = timedelta(days=30)
"""Far longer than a session at central lasts, which must hear of its end."""
NOTICES_KEPT: Final = timedelta(days=90)


def tidy() -> None:
    """Remove browsers' sessions that have run out, rows of old sessions, and notices that were read long ago."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now - timedelta(days=1)).delete()
    OfficeSession.objects.filter(seen_at__lt=now - SESSIONS_KEPT).delete()
    Notice.objects.filter(read_at__lt=now - NOTICES_KEPT).delete()
