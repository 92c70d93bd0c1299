"""From the database to the list of cases that a meeting decides on. It holds no name, photograph or reference (G11)."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from office.accounts.models import Scheme
from office.exclusions.acts import is_minor
from office.exclusions.models import Case
from office.exclusions.rules.period import TARIFF_MONTHS
from office.exclusions.voting import where
from office.papers.orders import MEETING_CASES_MAX, MeetingCase, MeetingPaper


def meeting_paper(scheme: Scheme, today: date) -> MeetingPaper | None:
    """What waits for a vote at today's meeting: checked cases, and those with an open vote; ``None`` = nothing."""
    open_today = Q(state="voting", ballots__way="meeting", ballots__meeting_on=today, ballots__ended_at=None)
    found = Case.objects.filter(Q(state="checked") | open_today, scheme=scheme).select_related("individual", "scheme")
    cases = tuple(_case(one) for one in found.distinct().order_by("number")[:MEETING_CASES_MAX])
    return MeetingPaper(scheme=scheme.name, printed_on=today, cases=cases) if cases else None


def _case(case: Case) -> MeetingCase:
    first, again = TARIFF_MONTHS[case.category]  # type: ignore[index]  # the field's choices are its keys
    return MeetingCase(
        number=case.number,
        category=case.get_category_display(),
        conduct=case.conduct,
        evidence=case.evidence,
        happened_on=case.happened_on,
        happened_at=case.happened_at,
        months=case.months,
        months_reason=case.months_reason,
        where=where(case),
        necessity=case.necessity,
        tariff_first=first,
        tariff_again=again,
        until=case.source_expires_on,
        is_repeat=case.is_repeat,
        is_minor=is_minor(case.individual),
    )
