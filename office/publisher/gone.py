"""What was erased or hidden lately, as the audit says it: published, so that a restored database can do it again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from office.audit.journal import record
from office.audit.models import AuditRow
from wire.snapshots import GONE_MAX, AuditHead, GoneEntry

LISTED_FOR: Final = timedelta(days=400)
"""Longer than any backup is kept (``office.config.KEEP_DAYS_MAX``)."""
KINDS: Final[Mapping[str, str]] = {
    "individual.erased": "individual",
    "case.erased": "case",
    "photograph.removed": "photograph",
    "request.deleted": "request",
    "case.revoke": "hidden",
    "case.restrict": "hidden",
    "case.lift-restriction": "hidden",
    "case.shorten": "shortened",
}
"""Action of the audit → kind of entry."""
ERASED: Final = frozenset({"individual", "case", "photograph", "request"})
"""Kinds that nothing takes back."""
SHOWN_AGAIN: Final = "case.lift-restriction"
"""Takes the entry back."""
CARRIED: Final = "register.gone"
"""What the lists knew at a restore, also of rows that the copy lacks: another backup may have them, and be next. Its
details are the rows of each kind."""


def carry(gone: Iterable[GoneEntry]) -> None:
    """Let the database, and so all that is published and copied of it from now on, know of what is gone."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for one in gone:
        rows[one.kind].append(one.row)
    if rows:
        record(None, CARRIED, schemes=(), rows={kind: sorted(of_kind) for kind, of_kind in rows.items()})


class GoneRows:
    """Reads the audit once, and then only what is new in it."""

    def __init__(self) -> None:
        self._head = 0
        self._found: dict[GoneEntry, datetime] = {}

    def read(self, head: AuditHead, now: datetime) -> tuple[GoneEntry, ...]:
        """All of them, at most :data:`wire.snapshots.GONE_MAX` newest, in the order of kind and number.

        Args:
            head: the audit's newest row, read in this transaction.
            now: aware.
        """
        if head.sequence < self._head:  # another database has taken its place
            self._head, self._found = 0, {}
        rows = AuditRow.objects.filter(
            sequence__gt=self._head, sequence__lte=head.sequence, action__in=(*KINDS, CARRIED)
        )
        since = now - LISTED_FOR
        fields = ("at", "action", "subject_id", "details")
        for at, action, subject, details in rows.filter(at__gt=since).order_by("sequence").values_list(*fields):
            if action == CARRIED:
                self._found |= dict.fromkeys(_carried(details), at)
                continue
            number = json.loads(details).get("photograph") if action == "photograph.removed" else subject
            if not str(number).isdecimal():
                continue
            entry = GoneEntry(kind=KINDS[action], row=int(number))
            if action == SHOWN_AGAIN:
                self._found.pop(entry, None)
            else:
                self._found[entry] = at
        self._head = head.sequence
        newest = sorted(((at, one) for one, at in self._found.items() if at > since), key=lambda pair: pair[0])
        self._found = {one: at for at, one in newest[-GONE_MAX:]}
        return tuple(sorted(self._found, key=lambda one: (one.kind, one.row)))


def _carried(details: str) -> Iterator[GoneEntry]:
    for kind, rows in json.loads(details)["rows"].items():
        for row in rows:
            yield GoneEntry(kind=kind, row=row)
