"""Central's rules in one object, in h11's manner: events in, effects out, no I/O, no clock, no chance.

Theory. A frame passes these stations, and nobody is told anything before the second:

1. *arrived* → admitted (decoded, entitled, signed), not seen before → ordered to disk;
2. *committed* → its receipt → applied to its incident → the page, and the incident's new state to its schemes;
3. or *refused by the disk* → forgotten, without a receipt, so that the node's retransmission is tried anew.

Identical bytes get the receipt again, once they are on disk. People's acts go the same way: ordered, committed,
applied, answered; one at a time, and never while a frame is on its way to disk, so that what was judged is what is
changed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from central.core import effects as do
from central.core import events as ev
from central.core.acts import Acts
from central.core.audience import moved_between
from central.core.bulk import recalled
from central.core.clocks import Clocks
from central.core.configuring import Configuring
from central.core.escalation import shift
from central.core.intake import Again, RefusedForGoodError
from central.core.nodes import NodeRecord
from central.core.outbound import Outbound, statuses_of
from central.core.pending_decisions import RoleGone, WentAway, found_late, weekly_tests_due
from central.core.reporting import facts_of
from central.core.restored import Restored
from central.core.set_aside import NOT_DONE, Problem, refused_by_disk
from central.core.timing import Timing
from central.core.undo import Table
from wire.directory import Directory
from wire.errors import DecodeError
from wire.ids import NodeId, node_text
from wire.messages import Health, Sync


class CentralCore(Acts):
    """All rules of central. Feed :class:`~central.core.events.Started` first, then anything in any order."""

    def __init__(self, timing: Timing | None = None) -> None:
        super().__init__(timing or Timing())
        self._directory_data = b""
        self._outbound = Outbound(self._timing, self._spared)
        self._restored = Restored()
        self._configuring = Configuring(self._timing)
        self._clocks = Clocks()
        self._ticked_at: datetime | None = None
        self._status_at: datetime | None = None
        self._kept_at: datetime | None = None
        self._probed_at: datetime | None = None
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            ev.Ticked: self._on_ticked,
            ev.DirectoryChanged: self._on_directory_changed,
            ev.DirectoryRefused: self._on_directory_refused,
            ev.SettingsChanged: lambda event: self._configuring.take(event.settings),
            ev.LinkUp: self._on_link_up,
            ev.LinkDown: self._on_link_down,
            ev.LaneChanged: self._on_lane_changed,
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
            ev.Resumed: lambda _: self._go_on(),
            ev.OpenRecalled: self._on_open_recalled,
            ev.ReserveChanged: self._on_reserve_changed,
            ev.ActionRequested: self._on_action_requested,
            ev.PeopleChanged: self._on_people_changed,
            ev.PremisesChanged: self._on_premises_changed,
            ev.RotaChanged: lambda event: self._escalation.rota.take(event.rota),
            ev.WaysChanged: lambda event: self._escalation.take_ways(event.ways, is_sure=event.is_sure),
            ev.NoticeEnded: lambda event: self._escalation.take_ended(event, self._now_at),
        }

    def handle(self, event: ev.Event, now_at: datetime) -> list[do.Effect]:
        """Take one event; returns its effects, in order.

        Args:
            event: what happened.
            now_at: central's time, aware UTC; it may jump, both ways.
        """
        self._now_at = now_at
        self._effects = []
        if isinstance(event, ev.Started):
            # There is nothing to go back to.
            self._on_started(event)
        else:
            self._take(event)
        self._judge_pending()
        return self._effects

    def _follow(self, event: ev.Event) -> None:
        self._handlers[type(event)](event)
        # A frame alone changes its node's line at most, which is shown with its commit, a moment later. An act for many
        # is shown when the last of its entries is on disk.
        is_amid_act = type(event) is ev.ActionCommitted and self._in_flight is not None
        if type(event) is not ev.FrameArrived and not is_amid_act:
            self._show_change()

    @property
    def directory(self) -> Directory:
        """The newest verified directory."""
        return self._directory

    # Start, time, directory, link.

    def _on_started(self, event: ev.Started) -> None:
        recall = event.recall
        self._page.boot_id = event.boot_id
        self._directory, self._directory_data = event.directory, event.directory_data
        self._nodes.set_directory(event.directory)
        self._nodes.recall(recall.nodes, self._now_at)
        self._paths.recall(recall, self._now_at)
        self._intake.recall(recall, event.earlier, self._now_at)
        self._page.on_duty = Table((one.person.key, one) for one in recall.on_duty)
        for key in self._page.on_duty:
            self._duty.begin(key, self._now_at)
        self._duty.take_went_off(recall.went_off)
        self._entry = recall.last_entry
        for entry in recall.journal:
            error = self._whole(partial(self._incidents.apply, entry, self._directory))
            if error is not None:
                self._set_aside(entry, error)
        self._incidents.left_open = Table(recall.left_open)
        self._incidents.revision = max(self._incidents.revision, recall.last_entry)
        self._incidents.raise_revisions(recall.raised_entry)
        self._open_acts = Table((act.number, act) for act in recall.acts)
        self._rest = tuple(recalled(act, self._incidents) for act in recall.acts)
        self._show_board()
        self._publish_status()

    def _on_ticked(self, event: ev.Ticked) -> None:
        now_at, timing = self._now_at, self._timing
        if self._ticked_at is not None:
            step = now_at - self._ticked_at
            if step < timedelta() or step > timing.clock_step:
                self._nodes.shift(step)
                self._duty.shift(step)
                self._air.clock_was_set(step)
                self._paths.clock_was_set(step)
                shift(self._incidents, step)
                self._contacts.clock_was_set()
                self._status_at = self._kept_at = self._probed_at = None
        self._ticked_at = now_at
        self._clocks.take_wall(event.wall_ahead)
        duties = (
            self._watch_nodes,
            self._keep,
            self._look_on_disk,
            self._look_for_work,
            self._look_for_steps,
            self._look_at_shifts,
            self._tick_paths,
            self._tick_outbound,
            self._look_at_contacts,
        )
        # One that fails must not hold up the others.
        for duty in duties:
            error = self._whole(duty)
            if error is not None:
                self._set_aside(duty.__name__, error)
        self._show_change(with_rejections=True)

    def _watch_nodes(self) -> None:
        if self._status_at is None or self._now_at - self._status_at >= self._timing.status_every:
            self._publish_status()
            self._page.clock_fault = self._clocks.fault(self._nodes.all())
        if self._whole(partial(self._nodes.watch, self._now_at)) is not None:
            self._nodes.watch(self._now_at, self._spared)
        self._incidents.forget_closed_before(self._now_at - self._timing.closed_kept)

    def _keep(self) -> None:
        now_at, timing = self._now_at, self._timing
        if self._kept_at is None:
            self._kept_at = now_at
        elif now_at - self._kept_at >= timing.keep_nodes_every:
            self._kept_at = now_at
            if kept := self._nodes.take_kept():
                self._effects.append(do.KeepNodes(kept))
        needs_look = not (self._page.is_disk_ok and self._page.has_reserve)
        if needs_look and (self._probed_at is None or now_at - self._probed_at >= timing.probe_every):
            self._probed_at = now_at
            self._effects.append(do.ProbeStore())

    def _look_for_work(self) -> None:
        now_at, timing = self._now_at, self._timing
        for key, one in self._page.on_duty.items():
            if one.proof == "phone" and "push" in self._escalation.ways.get(one.account, ()):
                self._duty.take_reach(key, now_at)
        self._go_on()
        # Left for a later tick while others wait or the disk refuses.
        if self._page.is_disk_ok and self._in_flight is None and not self._pending:
            self._pending += tuple(map(WentAway, self._duty.stale(now_at, timing.duty_ends_after)))
            self._pending += self._roles_gone()
            self._pending += tuple(weekly_tests_due(self._incidents.all(), now_at, timing))

    def _tick_paths(self) -> None:
        self._effects += self._paths.tick(self._now_at)
        if figures := self._figures.tick(self._nodes, self._now_at):
            self._effects.append(do.KeepFigures(figures))

    def _tick_outbound(self) -> None:
        self._outbound.tick()
        self._drain_outbound()

    def _on_directory_changed(self, event: ev.DirectoryChanged) -> None:
        moved = moved_between(self._directory, event.directory)
        self._directory, self._directory_data = event.directory, event.data
        self._nodes.set_directory(event.directory)
        self._premises.join(event.directory)
        for record in self._nodes.all():
            record.directory_sent_at = None
            if record.alive_at is not None:
                self._outbound.owe_directory(record.node)
        self._drain_outbound()
        self._incidents.touch_answered_by_struck_off(event.directory)
        self._incidents.touch_of(moved)
        self._publish_incidents()
        self._publish_status()
        self._effects.append(do.KeepDirectory(event.directory.serial, event.data))

    def _on_directory_refused(self, event: ev.DirectoryRefused) -> None:
        self._reject(event.reason, "directory file")

    def _on_link_up(self, _event: ev.LinkUp) -> None:
        self._page.is_broker_linked = True
        self._publish_status()

    def _on_link_down(self, _event: ev.LinkDown) -> None:
        self._page.is_broker_linked = False

    def _on_lane_changed(self, event: ev.LaneChanged) -> None:
        self._page.has_alerts_lane = event.is_proven

    def _on_people_changed(self, event: ev.PeopleChanged) -> None:
        self._staff.take(event.rights)
        self._escalation.rota.take_names(event.names)
        before = tuple(self._page.on_duty.values())
        for one in before:
            now = self._staff.on_duty_now(one)
            if now is not None:
                self._page.on_duty[one.person.key] = now
        if before != tuple(self._page.on_duty.values()):
            self._publish_status()
        self._pending += self._roles_gone()

    def _roles_gone(self) -> tuple[RoleGone, ...]:
        gone = (RoleGone(key) for key, one in self._page.on_duty.items() if self._staff.on_duty_now(one) is None)
        return tuple(one for one in gone if one not in self._pending)

    def _on_premises_changed(self, event: ev.PremisesChanged) -> None:
        self._premises.take(event.entries, self._directory)

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
            # By the topic that it came on, not the sender that it claims: the broker vouches for the first.
            self._reject(e.reason, node_text(event.vouched_for) if event.vouched_for else "")
            if isinstance(e, RefusedForGoodError):
                self._effects += self._receipts.refusal(e, event.relay, self._now_at)
            return
        is_known = isinstance(found, Again)
        frame_id = found.id if isinstance(found, Again) else found.signed.frame.id
        self._paths.take_arrival(frame_id, event, self._now_at, is_known=is_known)
        if isinstance(found, Again):
            if found.is_stored:
                self._effects += self._receipts.receipt(found.id, self._now_at, by_air=event.relay is not None)
            return
        self._entry = number
        for remark in remarks:
            self._reject(remark, node_text(found.signed.frame.sender))
        self._effects.append(do.CommitFrame(found))

    def _on_frames_committed(self, event: ev.FramesCommitted) -> None:
        self._page.is_disk_ok = True
        entries = self._intake.commit(event.ids)
        # Receipts first: someone frightened is waiting for each.
        for entry in entries:
            frame_id = entry.signed.frame.id
            self._effects += self._receipts.receipt(frame_id, self._now_at, by_air=True, is_fresh=True)
        for entry in entries:
            self._effects += self._paths.take_committed(entry, self._now_at)
            card = None if entry.incident is None else self._incidents.by_id.get(entry.incident)
            was_unanswered = card is None or card.state == "unanswered"
            self._incidents.apply(entry, self._directory)
            if card is not None and not was_unanswered and card.state == "unanswered":
                self._effects += self._receipts.asked_anew(card, self._now_at)
            self._effects += facts_of(entry, self._directory)
        self._entry = max(self._entry, self._incidents.revision)
        self._publish_incidents()

    def _on_frames_known(self, event: ev.FramesKnown) -> None:
        found = tuple(frame.id for frame in event.frames if self._intake.was_committed_after_all(frame))
        for frame in event.frames:
            if frame.id in found:
                continue
            entry = self._intake.drop(frame.id)
            self._intake.remember(frame)
            if entry is not None and entry.digest == frame.digest:
                by_air = self._air.was_heard(frame.id)
                self._effects += self._receipts.receipt(frame.id, self._now_at, by_air=by_air)
            elif entry is not None:
                self._reject("id conflict", node_text(frame.id.node))
                self._effects += self._receipts.conflict(frame.id, entry.digest, self._now_at, relay=entry.relay)
        if found:
            self._on_frames_committed(ev.FramesCommitted(found))

    def _on_commit_failed(self, event: ev.CommitFailed) -> None:
        for frame_id in event.ids:
            self._intake.refuse(frame_id)
        if not event.is_own_fault:
            self._page.is_disk_ok = False
            self._probed_at = self._now_at
            self._escalation.take_refused()
        problem = Problem(NOT_DONE) if event.is_own_fault else refused_by_disk(event.detail)
        self._forget_in_flight(event.entries, problem)

    def _on_store_failed(self, _event: ev.StoreFailed) -> None:
        self._page.is_disk_ok = False

    def _on_store_recovered(self, _event: ev.StoreRecovered) -> None:
        self._page.is_disk_ok = True

    def _on_reserve_changed(self, event: ev.ReserveChanged) -> None:
        self._page.has_reserve = event.is_whole

    def _on_open_recalled(self, event: ev.OpenRecalled) -> None:
        if event.act:
            self._take_aside(event)
            return
        # Only the page is told: the nodes know. Incidents that came since the request are here already.
        journal = tuple(entry for entry in event.journal if entry.incident not in self._incidents.by_id)
        for entry in journal:
            error = self._whole(partial(self._incidents.apply, entry, self._directory))
            if error is not None:
                self._set_aside(entry, error)
        count = len({entry.incident for entry in journal})
        self._incidents.take_back(event.node, count, is_all=event.is_all)
        self._entry = max(self._entry, self._incidents.revision)
        if self._rest:  # An act for many waits for them.
            self._effects.append(do.Yield())

    def _on_input_rejected(self, event: ev.InputRejected) -> None:
        self._reject(event.reason, node_text(event.sender) if event.sender else "")

    def _may_relay(self, relay: NodeId) -> bool:
        record = self._speaker(relay)
        if record is None:
            return False
        if not record.sender.signs:
            # Of one that signs its health, only that bears a time: the broker may bring this again, a day later.
            self._nodes.take_sign_of_life(record, self._now_at)
        if self._air.may_relay(relay, self._now_at):
            return True
        self._reject("relay flood", node_text(relay))
        return False

    # Nodes.

    def _on_health(self, event: ev.HealthArrived) -> None:
        if (record := self._speaker(event.node, event.health if event.is_signed else None)) is None:
            return
        self._nodes.take_health(record, event.health, self._now_at, is_signed=event.is_signed)
        if event.health.state in ("armed", "starting"):
            self._offer_directory(record)
            if event.is_signed:
                self._effects += self._configuring.take_health(record, event.health, self._now_at)

    def _on_sync(self, event: ev.SyncArrived) -> None:
        if (record := self._speaker(event.node, event.sync if event.is_signed else None)) is None:
            return
        self._nodes.take_sync(record, event.sync, self._now_at, is_signed=event.is_signed)
        self._pending += found_late(
            self._incidents.of(record.node), record.ages, self._timing.late_after, self._pending
        )
        raised, missing = self._restored.take_sync(event, self._intake, self._entry)
        if raised.entry or raised.counter:
            self._effects.append(raised)
            self._entry = max(self._entry, raised.entry)
            self._incidents.raise_revisions(raised.entry)
            self._publish_incidents()
        if missing:
            self._reject("receipted, and not here", node_text(record.node))
        if missing is not None:
            self._outbound.owe_sync(record.node, event.sync.nonce, missing)
        self._offer_directory(record)

    def _speaker(self, node: NodeId, said: Health | Sync | None = None) -> NodeRecord | None:
        try:
            return self._nodes.speaker(node, said, self._now_at)
        except DecodeError as e:
            self._reject(e.reason, node_text(node))
            return None

    def _offer_directory(self, record: NodeRecord) -> None:
        if record.directory_serial is not None and record.directory_serial < self._directory.serial:
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

    def _publish_status(self) -> None:
        self._status_at = self._now_at
        on_duty, boot_id = self._page.on_duty.values(), self._page.boot_id
        sequence = self._outbound.next_sequence()
        self._effects += statuses_of(self._directory, boot_id, on_duty, self._now_at, self._timing, sequence=sequence)

    def _show_board(self) -> None:
        parts = (self._incidents, self._nodes, self._rejections, self._directory)
        self._effects.append(do.ShowBoard(self._page.board(*parts, self._now_at)))
