"""Forgets reports that go with no case. Those of a case go when its words are erased (:mod:`office.people.erasure`)."""

from __future__ import annotations

from datetime import datetime

from office.audit.journal import record
from office.breaches.models import Breach
from office.breaches.rules import UNKNOWN_KEPT


def forget_unknown(now: datetime) -> int:
    """Remove reports about cases that are not there, a year after they came; returns how many."""
    found = Breach.objects.filter(case=None, received_at__lt=now - UNKNOWN_KEPT)
    for one in found:
        record(None, "breach.erased", one)
        one.delete()
    return len(found)
