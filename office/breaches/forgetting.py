"""Forgets reports that go with no case, incidents, and copies of statements after their time.

Reports of a case go when its words are erased (:mod:`office.people.erasure`), and their copies with them.
"""

from __future__ import annotations

from datetime import datetime

from office.audit.journal import record
from office.breaches.models import Breach, StatementCopy
from office.breaches.rules import COPY_KEPT, UNKNOWN_KEPT


def forget_unknown(now: datetime) -> int:
    """Remove reports about cases that are not there, and incidents, a year after they came; returns how many."""
    found = Breach.objects.filter(case=None, received_at__lt=now - UNKNOWN_KEPT)
    for one in found:
        record(None, "breach.erased", one)
        one.delete()
    return len(found)


def forget_copies(now: datetime) -> int:
    """Remove copies of statements that nobody can read any more; returns how many."""
    found = StatementCopy.objects.filter(made_at__lte=now - COPY_KEPT).select_related("breach__scheme")
    for one in found:
        record(None, "statement-copy.erased", one.breach)
        one.delete()
    return len(found)
