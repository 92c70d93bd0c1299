"""The two paths of every premises together: what came by which, what is counted, and what goes over the air.

Theory. That the network does not reach a presser is found out late: after half a minute without a sign of life, or
when an alert of theirs comes by radio. So the last acknowledgement of each incident waits here. A sign of life that
comes well after it proves that the network brought it: one that comes at once may have set out before. If the presser
turns out to be cut off first, it is said by radio: twice, the same bytes, the most urgent of all that wait first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from central.core.air import Air
from central.core.effects import SayAcknowledgement, SendFrameToAir
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
from wire.kinds import PRIORITY, AlertKind, Capability, FrameKind, Path

UNPROVEN_MAX: Final = 256
UNPROVEN_EACH_MAX: Final = 4
"""Per sender, so that a flood of one crowds nobody else out."""
UNPROVEN_FOR: Final = timedelta(minutes=9)
"""No radio says anything that is older than ten minutes."""
TIMES_BY_RADIO: Final = 2
"""Nobody confirms what is heard on the air."""


class _Unproven(Struct, frozen=True):
    """An acknowledgement that its presser may not have.

    Attributes:
        said_at: when, by whichever path.
        due_at: when it may be said by radio.
        times: how often it is still to be.
        needs: to be known by who says it.
    """

    said_at: datetime
    due_at: datetime
    times: int
    needs: frozenset[Capability]


class Paths(Record):
    """Ties :class:`~central.core.air.Air` and :class:`~central.core.figures.Figures` to nodes and incidents."""

    _timing: Timing
    _nodes: Nodes
    _incidents: Incidents
    air: Air
    figures: Figures
    _untold: Table[FrameId, None] = field(default_factory=Table)
    _unproven: Table[FrameId, _Unproven] = field(default_factory=Table)

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
        voice = self._voice(incident, presser, now_at) if is_cut_off else None
        self._set_untold(incident, is_untold=is_cut_off and voice is None)
        return voice

    def keep_acknowledgement(
        self, incident_id: FrameId, now_at: datetime, needs: frozenset[Capability], *, is_on_air: bool
    ) -> None:
        """The incident's newest, just said; ``needs``: to be known by who says it by radio, perhaps again."""
        self._unproven.pop(incident_id, None)
        of_sender = [one for one in self._unproven if one.node == incident_id.node]
        if len(of_sender) >= UNPROVEN_EACH_MAX:
            del self._unproven[of_sender[0]]
        due_at = now_at + self._timing.air_again_after if is_on_air else now_at
        self._unproven[incident_id] = _Unproven(now_at, due_at, TIMES_BY_RADIO - is_on_air, needs)
        if len(self._unproven) > UNPROVEN_MAX:
            del self._unproven[next(iter(self._unproven))]

    def tick(self, now_at: datetime) -> list[SayAcknowledgement]:
        """Acknowledgements that are due by radio.

        Pressers back on the network no longer count as untold: the answer to their sync tells them.
        """
        for incident_id in tuple(self._untold):
            incident, presser = self._incidents.by_id.get(incident_id), self._nodes.find(incident_id.node)
            if incident is None:
                del self._untold[incident_id]
            elif presser is None or presser.sender.is_revoked or not self._is_cut_off(incident, presser):
                self._set_untold(incident, is_untold=False)
        return [say for incident_id in self._due(now_at) for say in self._say(incident_id, now_at)]

    def clock_was_set(self, by: timedelta) -> None:
        """What waits moves with it."""
        for incident_id, one in tuple(self._unproven.items()):
            self._unproven[incident_id] = replace(one, said_at=one.said_at + by, due_at=one.due_at + by)

    def _due(self, now_at: datetime) -> list[FrameId]:
        """Whose is due by radio: urgent, unsaid, new ones first; those that need not wait any more are gone."""
        due: list[tuple[int, int, timedelta, FrameId]] = []
        for incident_id, one in tuple(self._unproven.items()):
            incident, presser = self._incidents.by_id.get(incident_id), self._nodes.find(incident_id.node)
            if incident is None or presser is None or self._is_over(one, presser, now_at):
                del self._unproven[incident_id]
            elif now_at >= one.due_at and self._is_cut_off(incident, presser):
                due.append((PRIORITY[incident.kind], -one.times, now_at - one.said_at, incident_id))
        return [incident_id for *_, incident_id in sorted(due)]

    def _is_over(self, one: _Unproven, presser: NodeRecord, now_at: datetime) -> bool:
        # Whoever has switched it off reads nothing.
        if presser.sender.is_revoked or presser.is_stopped or now_at - one.said_at > UNPROVEN_FOR:
            return True
        return presser.alive_at is not None and presser.alive_at - one.said_at > self._timing.air_again_after

    def _say(self, incident_id: FrameId, now_at: datetime) -> list[SayAcknowledgement]:
        one, incident = self._unproven[incident_id], self._incidents.by_id[incident_id]
        presser = self._nodes.find(incident_id.node)
        voice = None if presser is None else self._voice(incident, presser, now_at, one)
        if one.times == TIMES_BY_RADIO:
            self._set_untold(incident, is_untold=voice is None)
        if voice is None:
            return []
        if one.times > 1:
            due_at = now_at + self._timing.air_again_after
            self._unproven[incident_id] = replace(one, due_at=due_at, times=one.times - 1)
        else:
            del self._unproven[incident_id]
        return [SayAcknowledgement(voice, incident_id)]

    def _voice(
        self, incident: Incident, presser: NodeRecord, now_at: datetime, waits: _Unproven | None = None
    ) -> NodeId | None:
        if Path.RADIO not in incident.paths and not presser.radio.is_there:
            return None
        needs = frozenset() if waits is None else waits.needs
        return self.air.voice_to(presser, self._nodes, now_at, needs=needs, has_waited=waits is not None)

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
