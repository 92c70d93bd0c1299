"""Settles TWO UNITS FOR ONE IDENTITY: somebody says that a unit's card was broken, and not copied.

What they say is a row of the audit and nothing else. The publisher hands it to the machine port, in its file of staff;
the port accepts that the unit's log begins anew, once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from msgspec import Struct

from office.accounts.models import Account
from office.accounts.rules import Rights
from office.audit.journal import head, record
from office.audit.models import AuditRow
from office.in_shops.port import NoReportError, report
from wire.ids import node_text

REASONS: Final[Mapping[str, str]] = {
    "changed": "Its card was changed for another",
    "failed": "The card failed, or the power did, and the unit began anew",
    "put-back": "An older copy of the card was put back on purpose",
}
"""A choice, not free text: the audit keeps it for ever."""
HANDED_OVER_FOR: Final = timedelta(days=30)
"""A port that does not run for so long is told no more; it is said again."""
_SAID: Final = "unit-card.broken"


class CopiedCard(Struct, frozen=True):
    """A unit whose view log contradicts itself.

    Attributes:
        node: its number.
        name: of the premises.
        schemes: all of the unit.
        since_s: Unix time of the alarm that is settled; a later one is another.
    """

    node: int
    name: str
    schemes: tuple[int, ...]
    since_s: int

    @property
    def unit(self) -> str:
        """As its label says."""
        return node_text(self.node)  # type: ignore[arg-type]  # it was one


def copied_card(mine: Rights, unit: str) -> CopiedCard | None:
    """The alarm of a unit that is in a scheme the person co-ordinates; ``None`` = there is none for them."""
    try:
        with report() as found:
            stations, alarms = found.reported.stations(), found.reported.alarms()
    except NoReportError:
        return None
    for one in stations:
        if node_text(one.node) == unit and not one.is_struck and mine.co_ordinates & frozenset(one.schemes):
            since = [alarm.at_s for alarm in alarms if alarm.kind == "fork" and alarm.node == one.node]
            return CopiedCard(one.node, one.name, one.schemes, min(since)) if since else None
    return None


def say_broken(actor: Account, card: CopiedCard, reason: str) -> None:
    """Write down that it was broken. Called inside :func:`office.accounts.access.acting`."""
    told = {"unit": card.unit, "since_s": card.since_s, "reason": reason}
    record(actor, _SAID, f"unit {card.unit}", schemes=card.schemes, **told)


class BrokenCards:
    """What has been said lately. Reads the audit once, and then only what is new in it."""

    def __init__(self) -> None:
        self._head = 0
        self._found: dict[int, tuple[datetime, int]] = {}

    def read(self) -> dict[int, int]:
        """By the node's number: since when its log contradicted itself, Unix time."""
        newest = head().sequence
        if newest < self._head:  # another database has taken its place
            self._head, self._found = 0, {}
        rows = AuditRow.objects.filter(action=_SAID, sequence__gt=self._head, sequence__lte=newest)
        for at, details in rows.order_by("sequence").values_list("at", "details"):
            told = json.loads(details)
            self._found[int(told["unit"], 16)] = at, told["since_s"]
        self._head = newest
        until = timezone.now() - HANDED_OVER_FOR
        return {node: since_s for node, (at, since_s) in sorted(self._found.items()) if at > until}
