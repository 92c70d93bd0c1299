"""What nodes are told unasked or on asking, within bounds: states, statuses, sync answers, directories.

Thousands of nodes may ask in one second (the broker came back). What is over the second's budget waits for
the next tick, so that an alert never waits behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from central.core.cards import slugs_of, state_of
from central.core.effects import PublishStatus, SendDirectory, SendSyncAnswer
from central.core.incident import Incident
from central.core.incidents import Incidents
from central.core.nodes import NodeRecord, Nodes
from central.core.timing import Timing
from central.core.view import Person
from wire.directory import Directory
from wire.ids import NodeId
from wire.kinds import MEMBERS_WARNED, PRIORITY
from wire.messages import INCIDENTS_MAX, CentralStatus, IncidentState, SyncAnswer

SYNC_STATES_PER_TICK: Final = 20_000


def states_of(incident: Incident, directory: Directory, now_at: datetime, timing: Timing) -> list[IncidentState]:
    """One for each scheme of the incident."""
    slugs = slugs_of(incident.schemes, directory)
    return [state_of(incident, slug, directory, now_at + timing.incident_valid) for slug in slugs]


def statuses_of(
    directory: Directory, boot_id: str, on_watch: Iterable[Person], now_at: datetime, timing: Timing
) -> list[PublishStatus]:
    """Central's heartbeat to every scheme."""
    roles = tuple(dict.fromkeys(person.role for person in on_watch))
    status = CentralStatus(boot_id=boot_id, at=now_at, expires_at=now_at + timing.status_valid, on_duty=roles)
    return [PublishStatus(scheme.slug, status) for scheme in directory.schemes.values()]


class Outbound:
    """Who is owed what, and what may still be sent this second."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._owed_syncs: dict[NodeId, None] = {}
        self._owed_directories: dict[NodeId, None] = {}
        self._states_left = SYNC_STATES_PER_TICK
        self._bytes_left = timing.directory_bytes_per_tick

    def tick(self) -> None:
        """A second is over."""
        self._states_left = SYNC_STATES_PER_TICK
        self._bytes_left = self._timing.directory_bytes_per_tick

    def owe_sync(self, node: NodeId) -> None:
        """It asked."""
        self._owed_syncs[node] = None

    def owe_directory(self, node: NodeId) -> None:
        """It has an older one."""
        self._owed_directories[node] = None

    def drain_syncs(
        self,
        nodes: Nodes,
        *,
        incidents: Incidents,
        directory: Directory,
        boot_id: str,
        highest: dict[NodeId, int],
        now_at: datetime,
    ) -> list[SendSyncAnswer]:
        """Answer as many as may be answered now."""
        answers = []
        for node in tuple(self._owed_syncs):
            if self._states_left <= 0:
                break
            record = nodes.find(node)
            if record is None or record.sender.is_revoked:
                del self._owed_syncs[node]
                continue
            if record.sync_sent_at is not None and now_at - record.sync_sent_at < self._timing.sync_answer_every:
                continue
            del self._owed_syncs[node]
            record.sync_sent_at = now_at
            found = self._incidents_for(record, incidents, directory, now_at)
            self._states_left -= 1 + len(found)
            answer = SyncAnswer(boot_id=boot_id, counter_floor=highest.get(node, 0), incidents=tuple(found))
            answers.append(SendSyncAnswer(node, answer))
        return answers

    def drain_directories(
        self, nodes: Nodes, directory: Directory, data: bytes, now_at: datetime
    ) -> list[SendDirectory]:
        """Send to as many as may be sent to now; one at least in each second, however large it is."""
        sent = []
        for node in tuple(self._owed_directories):
            if self._bytes_left <= 0:
                break
            record = nodes.find(node)
            del self._owed_directories[node]
            is_current = record is not None and (record.directory_serial or 0) >= directory.serial
            if record is None or record.sender.is_revoked or is_current or not data:
                continue
            if (
                record.directory_sent_at is not None
                and now_at - record.directory_sent_at < self._timing.directory_resend
            ):
                continue
            record.directory_sent_at = now_at
            self._bytes_left -= len(data)
            sent.append(SendDirectory(node, data))
        return sent

    def _incidents_for(
        self, record: NodeRecord, incidents: Incidents, directory: Directory, now_at: datetime
    ) -> list[IncidentState]:
        """Own open ones, own ended ones, then the schemes' open ones, most urgent first."""
        own = sorted(incidents.of(record.node), key=lambda i: (not i.is_open, -i.revision))
        others = [
            incident
            for incident in incidents.all()
            if incident.is_open
            and incident.kind in MEMBERS_WARNED
            and incident.id.node != record.node
            and not record.sender.schemes.isdisjoint(incident.schemes)
        ]
        others.sort(key=lambda i: (PRIORITY[i.kind], -i.revision))
        found = []
        for incident in [*own, *others][:INCIDENTS_MAX]:
            schemes = [number for number in incident.schemes if number in record.sender.schemes] or incident.schemes
            slugs = slugs_of(tuple(schemes), directory)
            if slugs:
                found.append(state_of(incident, slugs[0], directory, now_at + self._timing.incident_valid))
        return found
