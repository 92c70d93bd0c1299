"""Takes in what the machine port has kept of shops' reports: each once, however often it is read."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from office.accounts.access import in_turn
from office.accounts.models import Scheme
from office.audit.journal import record
from office.breaches.models import Breach
from office.exclusions.models import Case
from office.members.models import Premises
from office.nodes.reading import KeptReport, look_at
from office.people.erasure import is_erased
from office.people.models import Individual

logger = logging.getLogger(__name__)


def take_in(path: Path) -> tuple[int, int]:
    """Take in what is new in the port's file.

    Returns:
        how many were new; and the number of the newest report up to which nothing is left to take in.

    Raises:
        FileNotFoundError: no node has ever asked.
        office.nodes.store.StoreError: it cannot be read.
    """
    with look_at(path) as file:
        kept = file.reports()
    known = _known({one.report.id for one in kept})
    new = 0
    for one in kept:
        if one.report.id not in known:
            new += _take(one)
    return new, kept[-1].n if kept else 0


def _known(ids: set[str]) -> set[str]:
    found: set[str] = set()
    listed = sorted(ids)
    for first in range(0, len(listed), 500):
        found.update(Breach.objects.filter(report__in=listed[first : first + 500]).values_list("report", flat=True))
    return found


def _take(kept: KeptReport) -> bool:
    """Whether it is in the database now, and was not before."""
    report, received_at = kept.report, _moment(kept.received_s)
    # Whoever erases is waited for: what was erased a moment ago is known here, what comes now they find.
    with in_turn():
        scheme = Scheme.objects.filter(number=report.scheme).first()
        if scheme is None:
            logger.warning("a report of a scheme that the office does not know is left out")
            return False
        case = Case.objects.filter(scheme=scheme, number=report.case).select_related("individual").first()
        if _was_erased(scheme, case, report.person):
            return False
        premises = Premises.objects.filter(pk=kept.premises, schemes=scheme).first()
        breach, is_new = Breach.objects.get_or_create(
            report=report.id,
            defaults={
                "kind": report.kind,
                "scheme": scheme,
                "case": case,
                "reference": f"{scheme.slug.upper()}-{report.person:04}",
                "node": kept.node,
                "premises": premises,
                "member_id": None if premises is None else premises.member_id,
                "place": place_of(premises),
                "staff": report.staff,
                "at": _moment(report.at_s),
                "is_time_proven": report.is_proven,
                "left": report.left,
                "incident": report.incident,
                "received_at": received_at,
                "state_at": received_at,
            },
        )
        if is_new:
            # Not where: the row outlives what is erased.
            record(None, "breach.reported", breach, individual=breach.reference)
    return is_new


def _was_erased(scheme: Scheme, case: Case | None, person: int) -> bool:
    """Whether the report went when somebody was erased. Without a case, the person's number says whom it is about."""
    if case is not None:
        return is_erased(case) or case.individual.erased_at is not None
    one = Individual.objects.filter(scheme=scheme, number=person).select_related("same_as").first()
    return one is not None and (one.same_as or one).erased_at is not None


def place_of(premises: Premises | None) -> str:
    """Name and place of the premises, as a breach keeps them."""
    if premises is None:
        return "A unit that stands in no premises of the scheme"
    return ", ".join(filter(None, (premises.name, premises.place)))


def _moment(at_s: int) -> datetime:
    # A unit's clock may say anything; the calendar's end is far enough.
    return datetime.fromtimestamp(min(at_s, 4_000_000_000), UTC)
