"""Central's rules in one object, in h11's manner: facts in, orders out, no I/O, no clock, no chance.

Theory. A frame goes through three stations, and nobody is told anything before the second:

1. *arrived* → admitted (decoded, entitled, signed), not seen before → ordered to disk;
2. *committed* → its receipt → applied to its incident → the page, and the incident's new state to its schemes;
3. or *refused by the disk* → forgotten, without a receipt, so that the node's retransmission is tried anew.

Identical bytes again are answered with the receipt again, once they are on disk. What people do takes the
same way: ordered, committed, applied, answered; one at a time, and never while a frame is on its way to disk, so
that what was judged is what is changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from central.core import effects as do
from central.core import events as ev
from central.core.desk import AlreadySo
from central.core.held import FoundLate, Held, WentAway, entry_for, proofs_due
from central.core.incident import EPOCH
from central.core.incidents import Incidents
from central.core.intake import Again, Intake
from central.core.journal import ActionEntry
from central.core.nodes import NodeRecord, Nodes
from central.core.outbound import Outbound, states_of, statuses_of
from central.core.page import Page
from central.core.paths import Paths
from central.core.rejections import Rejections
from central.core.reporting import facts_of
from central.core.timing import Timing
from central.core.view import Done, Refused
from central.core.watches import Watches
from wire.directory import EMPTY_DIRECTORY, Directory
from wire.errors import DecodeError
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import AnswerState, Role
from wire.text import short_name

ACTIONS_HELD_MAX: Final = 1_000
_ANSWERS: Final = {
    "acknowledged": AnswerState.ANSWERED,
    "unacknowledged": AnswerState.UNANSWERED,
    "on-the-way": AnswerState.ON_THE_WAY,
    "closed": AnswerState.CLOSED,
}


class CentralCore:
    """All rules of central. Feed :class:`~central.core.events.Started` first, then anything in any order."""

    def __init__(self, timing: Timing | None = None) -> None:
        self._timing = timing or Timing()
        self._now_at = EPOCH
        self._effects: list[do.Effect] = []
        self._directory: Directory = EMPTY_DIRECTORY
        self._directory_data = b""
        self._entry = 0
        self._intake = Intake(self._timing)
        self._incidents = Incidents()
        self._nodes = Nodes(self._timing)
        self._paths = Paths(self._timing, self._nodes, self._incidents)
        self._air = self._paths.air
        self._rejections = Rejections()
        self._outbound = Outbound(self._timing)
        self._page = Page(self._timing, self._paths.figures)
        self._watches = Watches()
        # What is to be judged when nothing is on its way to disk; then what is on its way, and who asked.
        self._held: deque[Held] = deque()
        self._in_flight: tuple[ActionEntry, int | None] | None = None
        self._ticked_at: datetime | None = None
        self._status_at: datetime | None = None
        self._kept_at: datetime | None = None
        self._probed_at: datetime | None = None
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            ev.Started: self._on_started,
            ev.Ticked: self._on_ticked,
            ev.DirectoryChanged: self._on_directory_changed,
            ev.DirectoryRefused: self._on_directory_refused,
            ev.LinkUp: self._on_link_up,
            ev.LinkDown: self._on_link_down,
            ev.FrameArrived: self._on_frame_arrived,
            ev.HealthArrived: self._on_health,
            ev.SyncArrived: self._on_sync,
            ev.InputRejected: self._on_input_rejected,
            ev.FramesCommitted: self._on_frames_committed,
            ev.FramesKnown: self._on_frames_known,
            ev.ActionCommitted: self._on_action_committed,
            ev.CommitFailed: self._on_commit_failed,
            ev.StoreFailed: self._on_store_failed,
            ev.StoreRecovered: self._on_store_recovered,
            ev.ActionRequested: self._on_action_requested,
        }

    def handle(self, event: ev.Event, now_at: datetime) -> list[do.Effect]:
        """Take one event; returns the orders that follow from it, to be carried out in this order.

        Args:
            event: what happened.
            now_at: wall time, aware UTC; it may jump, both ways.
        """
        self._now_at = now_at
        self._effects = []
        self._handlers[type(event)](event)
        # A frame alone changes its node's line at most: that goes with its commit, a moment later.
        if type(event) is not ev.FrameArrived:
            self._show_change()
        return self._effects

    # Start, time, directory, link.

    def _on_started(self, event: ev.Started) -> None:
        recall = event.recall
        self._page.boot_id = event.boot_id
        self._directory, self._directory_data = event.directory, event.directory_data
        self._nodes.set_directory(event.directory)
        self._nodes.recall(recall.nodes, self._now_at)
        self._paths.recall(recall, self._now_at)
        self._intake.recall(recall)
        self._page.on_watch = dict.fromkeys(recall.on_watch)
        for person in recall.on_watch:
            self._watches.begin(person, self._now_at)
        self._entry = recall.last_entry
        for entry in recall.journal:
            self._incidents.apply(entry, self._directory)
        board = self._page.board(self._incidents, self._nodes, self._rejections, self._directory, self._now_at)
        self._effects.append(do.ShowBoard(board))
        self._publish_status()

    def _on_ticked(self, _event: ev.Ticked) -> None:
        now_at, timing = self._now_at, self._timing
        if self._ticked_at is not None:
            step = now_at - self._ticked_at
            if step < timedelta() or step > timing.clock_step:
                self._nodes.shift(step)
                self._watches.shift(step)
                self._air.clock_was_set(step)
                self._status_at = self._kept_at = self._probed_at = None
        self._ticked_at = now_at
        self._nodes.watch(now_at)
        self._incidents.forget_closed_before(now_at - timing.closed_kept)
        if self._status_at is None or now_at - self._status_at >= timing.status_every:
            self._publish_status()
        if self._kept_at is None:
            self._kept_at = now_at
        elif now_at - self._kept_at >= timing.keep_nodes_every:
            self._kept_at = now_at
            self._keep_nodes()
        if not self._page.is_disk_ok and (self._probed_at is None or now_at - self._probed_at >= timing.probe_every):
            self._probed_at = now_at
            self._effects.append(do.ProbeStore())
        # Tried again at a later tick while others wait, or the disk refuses.
        if self._page.is_disk_ok and self._in_flight is None and not self._held:
            self._held += map(WentAway, self._watches.stale(now_at, timing.watch_ends_after))
            self._held += proofs_due(self._incidents.all(), now_at, timing)
            self._judge_held()
        self._effects += self._air.tick(self._nodes, now_at)
        self._paths.tick()
        figures = self._paths.figures.tick(self._nodes, now_at)
        if figures:
            self._effects.append(do.KeepFigures(figures))
        self._outbound.tick()
        self._drain_outbound()
        self._show_change(with_rejections=True)

    def _on_directory_changed(self, event: ev.DirectoryChanged) -> None:
        self._directory, self._directory_data = event.directory, event.data
        self._nodes.set_directory(event.directory)
        for record in self._nodes.all():
            record.directory_sent_at = None
            if record.alive_at is not None:
                self._outbound.owe_directory(record.node)
        self._drain_outbound()
        self._publish_status()

    def _on_directory_refused(self, event: ev.DirectoryRefused) -> None:
        self._reject(event.reason, "directory file")

    def _on_link_up(self, _event: ev.LinkUp) -> None:
        self._page.is_broker_linked = True
        self._publish_status()

    def _on_link_down(self, _event: ev.LinkDown) -> None:
        self._page.is_broker_linked = False

    # Frames.

    def _on_frame_arrived(self, event: ev.FrameArrived) -> None:
        number = self._entry + 1
        if event.relay is not None and not self._may_relay(event.relay):
            return
        try:
            found, remarks = self._intake.arrive(
                event,
                entry_number=number,
                directory=self._directory,
                nodes=self._nodes,
                incidents=self._incidents,
                now_at=self._now_at,
            )
        except DecodeError as e:
            # Whose topic it came on, not whom it claims to be from: the broker vouches for the first.
            self._reject(e.reason, node_text(event.vouched_for) if event.vouched_for else "")
            return
        is_known = isinstance(found, Again)
        frame_id = found.id if isinstance(found, Again) else found.signed.frame.id
        self._paths.take_arrival(frame_id, event, self._now_at, is_known=is_known)
        if isinstance(found, Again):
            if found.is_stored:
                self._send_receipt(found.id, by_air=event.relay is not None)
            return
        self._entry = number
        for remark in remarks:
            self._reject(remark, node_text(found.signed.frame.sender))
        self._effects.append(do.CommitFrame(found))

    def _on_frames_committed(self, event: ev.FramesCommitted) -> None:
        self._page.is_disk_ok = True
        entries = self._intake.commit(event.ids)
        # Receipts first: somebody frightened waits for each of them.
        for entry in entries:
            self._send_receipt(entry.signed.frame.id, by_air=True, is_fresh=True)
        for entry in entries:
            self._effects += self._paths.take_committed(entry, self._now_at)
            self._incidents.apply(entry, self._directory)
            self._effects += facts_of(entry, self._directory)
        self._publish_incidents()
        self._judge_held()

    def _on_frames_known(self, event: ev.FramesKnown) -> None:
        found = tuple(frame.id for frame in event.frames if self._intake.was_committed_after_all(frame))
        for frame in event.frames:
            if frame.id in found:
                continue
            entry = self._intake.drop(frame.id)
            self._intake.remember(frame)
            if entry is not None and entry.digest == frame.digest:
                self._send_receipt(frame.id, by_air=self._air.was_heard(frame.id))
            elif entry is not None:
                self._reject("id conflict", node_text(frame.id.node))
        if found:
            self._on_frames_committed(ev.FramesCommitted(found))
        self._judge_held()

    def _on_commit_failed(self, event: ev.CommitFailed) -> None:
        for frame_id in event.ids:
            self._intake.refuse(frame_id)
        self._page.is_disk_ok = False
        self._probed_at = self._now_at
        if self._in_flight is not None and self._in_flight[0].entry in event.entries:
            request, self._in_flight = self._in_flight[1], None
            self._answer(request, Refused(f"Nothing was recorded. Central's disk refuses: {event.detail}"))
        self._judge_held()

    def _on_store_failed(self, _event: ev.StoreFailed) -> None:
        self._page.is_disk_ok = False

    def _on_store_recovered(self, _event: ev.StoreRecovered) -> None:
        self._page.is_disk_ok = True

    def _on_input_rejected(self, event: ev.InputRejected) -> None:
        self._reject(event.reason, node_text(event.sender) if event.sender else "")

    def _send_receipt(self, frame_id: FrameId, *, by_air: bool, is_fresh: bool = False) -> None:
        is_late = self._intake.is_late(frame_id)
        # Both ways where it came by radio: which of them works is not known. A path test's is worth nothing elsewhere.
        if not self._air.is_path_test(frame_id):
            self._effects.append(do.SendReceipt(frame_id.node, frame_id, is_late))
        if by_air:
            now_at, nodes = self._now_at, self._nodes
            self._effects += self._air.answer(frame_id, nodes, now_at, is_late=is_late, is_fresh=is_fresh)

    def _may_relay(self, relay: NodeId) -> bool:
        record = self._in_good_standing(relay)
        if record is None:
            return False
        self._nodes.take_sign_of_life(record, self._now_at)
        if self._air.may_relay(relay, self._now_at):
            return True
        self._reject("relay flood", node_text(relay))
        return False

    def _reject(self, reason: str, sender: str) -> None:
        if self._rejections.add(reason, sender, self._now_at):
            self._effects.append(do.ReportFact("rejected", None, (("reason", reason), ("sender", sender))))

    # People.

    def _on_action_requested(self, event: ev.ActionRequested) -> None:
        self._watches.take_sign(event.by, self._page.on_watch, self._now_at)
        if len(self._held) >= ACTIONS_HELD_MAX:
            self._answer(event.request, Refused("Central is busy. Try again."))
            return
        self._held.append(event)
        self._judge_held()

    def _judge_held(self) -> None:
        while self._held and self._in_flight is None and self._intake.is_idle:
            held = self._held.popleft()
            request = held.request if isinstance(held, ev.ActionRequested) else None
            found = entry_for(
                held,
                self._entry + 1,
                incidents=self._incidents.by_id,
                on_watch=self._page.on_watch,
                watches=self._watches,
                now_at=self._now_at,
                timing=self._timing,
            )
            if isinstance(found, ActionEntry):
                self._entry = found.entry
                self._in_flight = (found, request)
                self._effects.append(do.CommitAction(found))
            elif found is not None:
                self._answer(request, Done(self._page.sequence) if isinstance(found, AlreadySo) else found)

    def _on_action_committed(self, event: ev.ActionCommitted) -> None:
        self._page.is_disk_ok = True
        if self._in_flight is None or self._in_flight[0].entry != event.entry:
            return
        (entry, request), self._in_flight = self._in_flight, None
        match entry.kind, entry.by:
            case "watch-started", by if by is not None:
                self._page.on_watch[by] = None
                self._watches.begin(by, self._now_at)
                self._publish_status()
            case "watch-ended", by if by is not None:
                self._page.on_watch.pop(by, None)
                self._watches.end(by)
                self._publish_status()
            case _:
                self._incidents.apply(entry, self._directory)
                self._acknowledge(entry)
                self._publish_incidents()
        self._show_change()
        self._answer(request, Done(self._page.sequence))
        self._judge_held()

    def _acknowledge(self, entry: ActionEntry) -> None:
        state, by, incident = _ANSWERS.get(entry.kind), entry.by, entry.incident
        role = Role.by_slug(by.role) if by is not None else None
        if state is None or by is None or role is None or incident is None:
            return
        air = self._paths.voice_to_presser(incident, self._now_at)
        name = short_name(by.name)
        self._effects.append(do.SendAcknowledgement(incident.node, incident, role, state, name, air))
        self._air.plan_second(incident, self._now_at, is_on_air=air is not None)

    def _answer(self, request: int | None, result: Done | Refused) -> None:
        if request is not None:
            self._effects.append(do.AnswerAction(request, result))

    # Nodes.

    def _on_health(self, event: ev.HealthArrived) -> None:
        record = self._in_good_standing(event.node)
        if record is None:
            return
        self._nodes.take_health(record, event.health, self._now_at)
        if event.health.state in ("armed", "starting"):
            self._offer_directory(record)

    def _on_sync(self, event: ev.SyncArrived) -> None:
        record = self._in_good_standing(event.node)
        if record is None:
            return
        self._nodes.take_sync(record, event.sync, self._now_at)
        for incident in self._incidents.of(record.node):
            stored_at = record.ages.get(incident.fresh_counter)
            if stored_at is None or incident.fresh_at is None:
                continue
            if incident.fresh_at - stored_at > self._timing.late_after:
                found = FoundLate(incident.id, FrameId(record.node, incident.fresh_counter))
                if found not in self._held:
                    self._held.append(found)
        self._judge_held()
        self._outbound.owe_sync(record.node)
        self._offer_directory(record)

    def _in_good_standing(self, node: NodeId) -> NodeRecord | None:
        record = self._nodes.find(node)
        if record is not None and not record.sender.is_revoked:
            return record
        self._reject("unknown sender" if record is None else "revoked sender", node_text(node))
        return None

    def _offer_directory(self, record: NodeRecord) -> None:
        serial = record.directory_serial
        if serial is not None and serial < self._directory.serial:
            self._outbound.owe_directory(record.node)
        self._drain_outbound()

    # Outbound, page.

    def _drain_outbound(self) -> None:
        nodes, directory, now_at = self._nodes, self._directory, self._now_at
        self._effects += self._outbound.drain_syncs(
            nodes,
            incidents=self._incidents,
            directory=directory,
            boot_id=self._page.boot_id,
            highest=self._intake.highest,
            now_at=now_at,
        )
        self._effects += self._outbound.drain_directories(nodes, directory, self._directory_data, now_at)

    def _publish_incidents(self) -> None:
        changed = tuple(self._incidents.changed.values())
        self._show_change()
        for incident in changed:
            for state in states_of(incident, self._directory, self._now_at, self._timing):
                self._effects.append(do.PublishIncident(state))

    def _publish_status(self) -> None:
        self._status_at = self._now_at
        on_watch, boot_id = self._page.on_watch, self._page.boot_id
        self._effects += statuses_of(self._directory, boot_id, on_watch, self._now_at, self._timing)

    def _keep_nodes(self) -> None:
        kept = self._nodes.take_kept()
        if kept:
            self._effects.append(do.KeepNodes(kept))

    def _show_change(self, *, with_rejections: bool = False) -> None:
        rejections = self._rejections if with_rejections else None
        change = self._page.change(self._incidents, self._nodes, rejections, self._directory, self._now_at)
        if change is not None:
            self._effects.append(do.ShowChange(change))
