"""Members' contacts who chose to be told of their own premises (C8): they are told, never asked.

| of | when | |
|---|---|---|
| an alert | at once, and once | not if it is silent, late, a test or a drill |
| a fault of the unit, or no contact | after a quarter of an hour, once until it is well again | once a day at most |

A silent alert is told to nobody: a phone that buzzes in the shop could betray whoever pressed. While one is open there,
nothing is told of those premises at all. The unit's own alerts (tamper, power, a fault) are for those who chose faults.

Nothing is kept on disk: after a restart the same is ordered by the same name, and the notifier knows what it has sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct, field

from central.core.effects import Tell
from central.core.incident import Incident
from central.core.incidents import Incidents
from central.core.nodes import Nodes
from central.core.premises import PremisesBook
from central.core.staff import Staff
from central.core.undo import Record, Table
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import PRIORITY, AlertKind, Priority
from wire.snapshots import PremisesEntry, Way

ALERT_WITHIN: Final = timedelta(minutes=2)
"""Of its press: what central knows of for longer is no news."""
ONE_ALERT_IN: Final = timedelta(minutes=10)
"""Alerts of one premises that follow one another: the first is told for all."""
FAULT_AFTER: Final = timedelta(minutes=15)
"""While a unit or a router is started anew, nobody is told."""
_VALID_S: Final = int(ALERT_WITHIN.total_seconds())
Of = Literal["premises-alert", "premises-fault"]


class Contacts(Record):
    """What has been told of this run of central, and since when units have not been well."""

    _premises: PremisesBook
    _told: Table[FrameId, None] = field(default_factory=Table)
    # By number of the premises, and of what: when its contacts were last told of an alert.
    _told_at: Table[tuple[int, Of], datetime] = field(default_factory=Table)
    _unwell: Table[NodeId, datetime] = field(default_factory=Table)
    _told_unwell: Table[NodeId, None] = field(default_factory=Table)

    def clock_was_set(self) -> None:
        """Or the machine stood still: what was counted is counted anew."""
        self._unwell.clear()
        self._told_at.clear()

    def look(
        self, incidents: Incidents, nodes: Nodes, reached: Reached, now_at: datetime, *, is_linked: bool
    ) -> list[Tell]:
        """Find whom to tell now; ``is_linked``: to the broker, without which every unit seems lost."""
        silent = {
            entry.premises
            for one in incidents.all()
            if one.is_silent and one.is_open and (entry := self._premises.at(one.id.node)) is not None
        }
        return [
            *self._alerts(incidents, silent, reached, now_at),
            *self._faults(nodes, silent, reached, now_at, is_linked=is_linked),
        ]

    def _alerts(self, incidents: Incidents, silent: set[int], reached: Reached, now_at: datetime) -> Iterator[Tell]:
        for gone in [one for one in self._told if one not in incidents.by_id]:
            del self._told[gone]
        for incident in incidents.all():
            if incident.id in self._told or not _is_news(incident, now_at):
                continue
            entry = self._premises.at(incident.id.node)
            if entry is None or entry.premises in silent:
                continue
            of: Of = "premises-fault" if PRIORITY[incident.kind] is Priority.P4 else "premises-alert"
            people = reached.people(entry, of)
            if not people:
                continue
            self._told[incident.id] = None
            before = self._told_at.get((entry.premises, of))
            if before is None or now_at - before >= ONE_ALERT_IN:
                self._told_at[entry.premises, of] = now_at
                yield Tell(of, incident.id.text, people, _VALID_S)

    def _faults(
        self, nodes: Nodes, silent: set[int], reached: Reached, now_at: datetime, *, is_linked: bool
    ) -> Iterator[Tell]:
        for node, entry in self._premises.with_faults_to:
            record = nodes.find(node)
            if record is None or record.shown not in ("fault", "no-contact"):
                self._unwell.pop(node, None)
                self._told_unwell.pop(node, None)
                continue
            if not is_linked:
                self._unwell.pop(node, None)
                continue
            is_lasting = now_at - self._unwell.setdefault(node, now_at) >= FAULT_AFTER
            if not is_lasting or node in self._told_unwell or entry.premises in silent:
                continue
            if people := reached.people(entry, "premises-fault"):
                self._told_unwell[node] = None
                # By the day: what comes again after a restart, or of a unit that comes and goes, the notifier knows.
                about = f"{node_text(node)} {now_at.date().isoformat()}"
                yield Tell("premises-fault", about, people, _VALID_S)


class Reached(Struct, frozen=True):
    """Which contacts of a premises can be told now: by a text message or an e-mail, for a push would open nothing."""

    staff: Staff
    ways: Mapping[int, tuple[Way, ...]]

    def people(self, entry: PremisesEntry, of: Of) -> tuple[tuple[int, tuple[Way, ...]], ...]:
        """Those who chose it and are a member's contact still, each with the first of their ways."""
        found = []
        for account in entry.alerts_to if of == "premises-alert" else entry.faults_to:
            ways = tuple(way for way in self.ways.get(account, ()) if way != "push")[:1]
            if ways and self.staff.speaks_for_members(account, entry.schemes):
                found.append((account, ways))
        return tuple(found)


def _is_news(incident: Incident, now_at: datetime) -> bool:
    """A late one has not arrived as a live one."""
    if incident.is_drill or incident.kind is AlertKind.TEST:
        return False
    return incident.is_open and timedelta() <= now_at - incident.live_arrived_at < ALERT_WITHIN
