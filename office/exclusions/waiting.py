"""Cases that wait for the co-ordinator: until when each may, and what lapses. The rule is in ``rules/waiting.py``."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q

from office.exclusions import acts
from office.exclusions.by_itself import alone
from office.exclusions.models import Case
from office.exclusions.rules import waiting
from office.exclusions.rules.period import day_of
from office.exclusions.rules.waiting import LIMITS

_SHORTEST = min(limit.at_most for limit in LIMITS.values())


def last_day_to_act(case: Case) -> date | None:
    """The last day on which the co-ordinator brings a case on; after it, it lapses. ``None`` = it waits for nobody."""
    since = _since(case)
    if since is None:
        return None
    return waiting.last_day_to_act(case.state, since, case.source_expires_on)  # type: ignore[arg-type]  # its choices


def is_overdue(case: Case, today: date) -> bool:
    """Whether a case waits for longer than it should."""
    since = _since(case)
    return since is not None and waiting.is_overdue(case.state, since, today)  # type: ignore[arg-type]  # its choices


def lapses_due(now: datetime) -> list[int]:
    """Cases whose last day to act is over; one query."""
    today = day_of(now)
    # Nothing waits for longer than it is there.
    old = Q(nominated_at__lt=now - _SHORTEST) | Q(source_expires_on__lt=today)
    found = Case.objects.filter(old, state__in=LIMITS)
    read = found.only("state", "nominated_at", "decided_at", "source_expires_on")
    return [case.pk for case in read if (last := last_day_to_act(case)) is not None and last < today]


def lapse_what_is_due(now: datetime) -> int:
    """Let every case lapse that nobody has brought on in time; returns how many. Each in a transaction of its own."""
    due = lapses_due(now)
    for number in due:
        with alone():
            case = Case.objects.filter(pk=number, state__in=LIMITS).first()
            last = None if case is None else last_day_to_act(case)
            if case is not None and last is not None and last < day_of(now):
                acts.move_by_itself(case, "lapse", acts.end_of(last))
    return len(due)


def _since(case: Case) -> date | None:
    """From when on its time counts; ``None`` = it waits for nobody."""
    if case.state not in LIMITS:
        return None
    return day_of(case.nominated_at if case.decided_at is None else case.decided_at)
