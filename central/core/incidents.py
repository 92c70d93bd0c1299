"""All incidents in memory: the open ones, and those closed within a day. Filled by applying the journal, only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from central.core.cards import premises_of
from central.core.incident import Incident
from central.core.journal import ActionEntry, FrameEntry, JournalEntry
from wire.directory import Directory
from wire.frames import Alert, Response
from wire.ids import FrameId, NodeId
from wire.kinds import Path

EARLY_INCIDENTS_MAX: Final = 1_000
EARLY_EACH_MAX: Final = 64


class Incidents:
    """``changed`` gathers what was touched; the machine empties it."""

    def __init__(self) -> None:
        self._by_id: dict[FrameId, Incident] = {}
        self._by_node: dict[NodeId, dict[FrameId, Incident]] = {}
        # Cancels and answers that overtook their alert; they wait for it.
        self._early: dict[FrameId, list[FrameEntry]] = {}
        self.changed: dict[FrameId, Incident] = {}

    @property
    def by_id(self) -> Mapping[FrameId, Incident]:
        """To look up."""
        return self._by_id

    def all(self) -> Iterable[Incident]:
        """Every one, in the order in which they were opened."""
        return self._by_id.values()

    def of(self, node: NodeId) -> Iterable[Incident]:
        """Those a node opened."""
        return self._by_node.get(node, {}).values()

    def apply(self, entry: JournalEntry, directory: Directory) -> None:
        """Take the next entry of the journal."""
        incident_id = entry.incident
        if incident_id is None:
            return
        incident = self._by_id.get(incident_id)
        if isinstance(entry, ActionEntry):
            if incident is not None:
                incident.take_action(entry)
                self.changed[incident_id] = incident
            return
        frame = entry.signed.frame
        if incident is None and not isinstance(frame, Alert):
            self._keep_early(incident_id, entry)
            return
        if incident is None:
            incident = self._by_id[incident_id] = Incident(incident_id)
            self._by_node.setdefault(incident_id.node, {})[incident_id] = incident
        self._take(incident, entry, directory)
        for early in self._early.pop(incident_id, ()):
            self._take(incident, early, directory)
        # An early entry is older than the alert that let it in; the revision must not fall back to it.
        incident.revision = entry.entry
        self.changed[incident_id] = incident

    def note_path(self, incident_id: FrameId, path: Path) -> bool:
        """A frame that is known already came by this one too; says whether that is news. Not kept on disk."""
        incident = self._by_id.get(incident_id)
        if incident is None or path in incident.paths:
            return False
        incident.paths[path] = None
        self.changed[incident_id] = incident
        return True

    def forget_closed_before(self, oldest_at: datetime) -> None:
        """Drop what was closed too long ago; the disk keeps it."""
        for incident in [i for i in self._by_id.values() if i.closed_at is not None and i.closed_at < oldest_at]:
            del self._by_id[incident.id]
            of_node = self._by_node[incident.id.node]
            del of_node[incident.id]
            if not of_node:
                del self._by_node[incident.id.node]

    def _keep_early(self, incident_id: FrameId, entry: FrameEntry) -> None:
        if incident_id not in self._early and len(self._early) >= EARLY_INCIDENTS_MAX:
            del self._early[next(iter(self._early))]
        waiting = self._early.setdefault(incident_id, [])
        if len(waiting) < EARLY_EACH_MAX:
            waiting.append(entry)

    def _take(self, incident: Incident, entry: FrameEntry, directory: Directory) -> None:
        frame = entry.signed.frame
        if isinstance(frame, Response) and not set(frame.schemes) & set(incident.schemes):
            return
        incident.take_frame(entry, lambda node: premises_of(node, directory))
