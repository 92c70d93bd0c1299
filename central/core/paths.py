"""The two paths of every premises together: what came by which, what is counted, and what goes over the air."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import field

from central.core.air import Air
from central.core.effects import SendFrameToAir
from central.core.events import FrameArrived
from central.core.figures import Figures
from central.core.incident import EPOCH, Incident
from central.core.incidents import Incidents
from central.core.journal import FrameEntry, Recall, incident_of
from central.core.nodes import NodeRecord, Nodes
from central.core.timing import Timing
from central.core.undo import Record, Table
from wire.frames import Alert, decode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, FrameKind, Path


class Paths(Record):
    """Ties :class:`~central.core.air.Air` and :class:`~central.core.figures.Figures` to nodes and incidents."""

    _timing: Timing
    _nodes: Nodes
    _incidents: Incidents
    air: Air
    figures: Figures
    _untold: Table[FrameId, None] = field(default_factory=Table)

    def recall(self, recall: Recall, now_at: datetime) -> None:
        """Take the disk's paths, weekly tests and figures."""
        self.figures.recall(recall.figures, now_at)
        for kept in recall.paths:
            record = self._nodes.find(kept.node)
            if record is None:
                continue
            record.weekly_test_at = kept.weekly_test_at
            if kept.radio_heard_at is not None and kept.heard_by is not None:
                record.radio.take_heard(kept.heard_by, kept.radio_heard_at)

    def take_arrival(self, frame_id: FrameId, event: FrameArrived, now_at: datetime, *, is_known: bool) -> None:
        """An admitted frame came, perhaps by another path than its first copy."""
        if event.relay is None and not is_known:
            return
        if event.relay is not None:
            is_path_test = event.data[0] & 0x0F == FrameKind.PATH_TEST
            is_other = self.air.take_heard(frame_id, event.relay, is_path_test=is_path_test)
        else:
            is_other = self.air.was_heard(frame_id)
        if is_known and is_other:
            self._note_other_path(event, now_at)

    def take_committed(self, entry: FrameEntry, now_at: datetime) -> list[SendFrameToAir]:
        """A frame is on disk; returns the warning of it over the air, if any."""
        frame, record = entry.signed.frame, self._nodes.find(entry.signed.frame.sender)
        if record is not None and entry.relay is not None:
            self._nodes.take_heard(record, entry.relay, now_at)
        if record is not None and isinstance(frame, Alert) and frame.kind is AlertKind.TEST:
            self._nodes.take_weekly_test(record, now_at)
        self.figures.take(entry, now_at)
        return self.air.warn(entry, self._nodes, now_at)

    def voice_to_presser(self, incident_id: FrameId, now_at: datetime) -> NodeId | None:
        """Who says an acknowledgement over the air too, if the network does not reach its presser."""
        incident, presser = self._incidents.by_id.get(incident_id), self._nodes.find(incident_id.node)
        if incident is None or presser is None:
            return None
        is_cut_off = self._is_cut_off(incident, presser)
        has_radio = Path.RADIO in incident.paths or presser.radio.is_there
        voice = self.air.voice_to(presser, self._nodes, now_at) if is_cut_off and has_radio else None
        self._set_untold(incident, is_untold=is_cut_off and voice is None)
        return voice

    def tick(self) -> None:
        """Pressers back on the network no longer count as untold: the answer to their sync tells them."""
        for incident_id in tuple(self._untold):
            incident, presser = self._incidents.by_id.get(incident_id), self._nodes.find(incident_id.node)
            if incident is None:
                del self._untold[incident_id]
            elif presser is None or not self._is_cut_off(incident, presser):
                self._set_untold(incident, is_untold=False)

    def _is_cut_off(self, incident: Incident, presser: NodeRecord) -> bool:
        # A radio's own test, heard between two heartbeats, says nothing about the network; an alert on the air does.
        return self._nodes.is_out_of_reach(presser) if Path.RADIO in incident.paths else not presser.is_on_network

    def _set_untold(self, incident: Incident, *, is_untold: bool) -> None:
        if is_untold:
            self._untold[incident.id] = None
        else:
            self._untold.pop(incident.id, None)
        if incident.is_untold != is_untold:
            incident.is_untold = is_untold
            self._incidents.changed[incident.id] = incident

    def _note_other_path(self, event: FrameArrived, now_at: datetime) -> None:
        frame = decode(event.data).frame
        incident, record = self._incidents.by_id.get(incident_of(frame) or frame.id), self._nodes.find(frame.sender)
        if incident is None or record is None or incident.id.node != frame.sender:
            return
        # A frame that someone repeats on the air much later proves nothing about this premises' radio.
        said_at = EPOCH + timedelta(seconds=frame.at_s) if frame.at_s else incident.arrived_at
        if event.relay is not None and now_at - said_at >= self._timing.late_after:
            return
        if self._incidents.note_path(incident.id, event.path):
            self.figures.take_copy(frame.sender, event.path, now_at)
            if event.relay is not None:
                self._nodes.take_heard(record, event.relay, now_at)
