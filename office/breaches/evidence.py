"""Gathers what a statement rests on: the breach, the notice that was served, and what was done with the photograph."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from office.accounts.rules import TITLES
from office.audit.models import AuditRow
from office.breaches.models import Breach
from office.breaches.rules import is_over
from office.breaches.statements import Ended, Facts, Served
from office.exclusions.models import Case
from office.in_shops.port import NoReportError, report
from office.nodes.reading import Search
from office.papers.orders import CustodyRow
from office.people.models import Individual, Photograph
from office.staff.names import staff_names
from wire.ids import NodeId, node_text

AROUND_S: Final = 86_400
"""Looks at the person in that shop are told of the day before the breach and after it."""
VIEWS_MAX: Final = 30
_DONE: Final = {
    "photograph.added": "Handed in at the office",
    "photograph.cropped": "The face was cropped, by hand",
    "photograph.shown": "Chosen as the one that shops and readers are shown",
}


def facts_of(breach: Breach, individual: Individual | None, photograph: Photograph | None) -> Facts:
    """What is recorded, as it stands now."""
    case = breach.case
    served = None if case is None else case.notices.filter(served_at__isnull=False).first()
    return Facts(
        scheme=breach.scheme.name,
        reference="" if individual is None else individual.reference,
        name="" if individual is None else individual.name,
        kind=breach.kind,  # type: ignore[arg-type]  # the field's choices are its values
        happened=breach.happened,  # type: ignore[arg-type]  # likewise
        at=breach.at,
        is_time_proven=breach.is_time_proven,
        place=breach.place,
        left=breach.left,  # type: ignore[arg-type]  # the field's choices are its values
        report=breach.report,
        incident=breach.incident,
        received_at=breach.received_at,
        first_on=None if case is None else case.first_on,
        last_on=None if case is None else case.last_on,
        served=None
        if served is None or served.served_at is None
        else Served(served.version, served.served_at, served.served_by, served.served_where, served.served_how),
        ended=_ended(case, timezone.localdate()),
        ended_at=None if case is None else case.over_at,
        photograph="" if photograph is None else photograph.original_sha256,
        custody=() if photograph is None else tuple(_custody(breach, photograph)),
    )


def _ended(case: Case | None, today: date) -> Ended:
    if case is None or not is_over(case.state, case.last_on, today):  # type: ignore[arg-type]  # the field's choices
        return ""
    return "revoked" if case.state == "revoked" else "last-day"


def _custody(breach: Breach, photograph: Photograph) -> list[CustodyRow]:
    # The text of photograph 1 stands in that of 12, too. Whose it was then does not matter: rows are put together.
    told = AuditRow.objects.filter(action__in=_DONE, details__contains=f'"photograph":{photograph.pk}')
    rows = [
        (row.at, _what(row.action, photograph), _who(row))
        for row in told.order_by("sequence")
        if json.loads(row.details).get("photograph") == photograph.pk
    ]
    rows += _in_the_shop(breach)
    schedule = [CustodyRow(_text(at), what, by) for at, what, by in sorted(rows, key=lambda row: row[0])]
    sent = _files(photograph)
    return [*schedule, CustodyRow(_text(timezone.now()), sent, "Watchlink itself")] if sent else schedule


def _what(action: str, photograph: Photograph) -> str:
    if action != "photograph.added":
        return _DONE[action]
    taken = f", taken on {photograph.taken_on:%-d %b %Y}" if photograph.taken_on else ""
    return f"{_DONE[action]}. Source: {photograph.source}{taken}. SHA-256 of the file: {photograph.original_sha256}"


def _who(row: AuditRow) -> str:
    roles = {pair.partition(":")[0] for pair in row.actor_role.split(", ") if pair}
    return ", ".join([row.actor_name, *sorted(TITLES[role] for role in roles if role in TITLES)])


def _files(photograph: Photograph) -> str:
    """What shops are sent, by its digests."""
    found = []
    for size in ("portrait", "small"):
        try:
            data = (Path(settings.PHOTOGRAPHS_FOLDER) / f"{photograph.file}.{size}").read_bytes()
        except OSError:
            continue
        found.append(f"{size} {sha256(data).hexdigest()}")
    return f"When this was made, what shops are sent was, encrypted, by SHA-256: {'; '.join(found)}" if found else ""


def _in_the_shop(breach: Breach) -> list[tuple[datetime, str, str]]:
    """When the unit that reported has shown the person, by its own view log."""
    case, at_s = breach.case, int(breach.at.timestamp())
    if case is None:
        return []
    search = Search(
        schemes=frozenset({breach.scheme_id}),
        cases=((breach.scheme_id, case.number),),
        node=breach.node,
        from_s=at_s - AROUND_S,
        until_s=at_s + AROUND_S,
    )
    unit = f"unit {node_text(NodeId(breach.node))}, {breach.place}"
    try:
        with report() as found:
            views = found.reported.views(search, most=VIEWS_MAX)
    except NoReportError:
        return [(timezone.now(), f"The view log of {unit} could not be read when this was made", "Watchlink itself")]
    names = staff_names({view.record.staff for view in views}, frozenset({breach.scheme_id}))
    return [
        (
            datetime.fromtimestamp(view.record.at_s, UTC),
            f"Shown ({view.record.kind}) by {unit}: record {view.record.n} of its view log",
            names.get(view.record.staff, f"member of staff {view.record.staff}" if view.record.staff else "nobody"),
        )
        for view in views
    ]


def _text(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{local:%-d %b %Y, %H:%M:%S}"
