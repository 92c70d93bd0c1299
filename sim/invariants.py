"""The invariants, checked after every step; a broken one is raised where it breaks.

Others stand in :mod:`sim.invariants_air` (the radio path), :mod:`sim.invariants_panels` (what members have seen),
:mod:`sim.invariants_trust` (what is believed), :mod:`sim.invariants_desk` (what the desk is told),
:mod:`sim.asked` (who is asked) and :mod:`sim.flooder`.

| id | what must hold |
|---|---|
| I1 (N2) | nothing is published that is not on the sender's disk, byte for byte |
| I2 (N2) | a counter is used once: two frames with one id are the same bytes, for ever |
| I3 (N2) | an unreceipted row leaves the outbox only when central has it on disk |
| I4 (N3, N8) | a receipt is sent only for what is on central's disk |
| I5 (N3) | a screen says RECEIVED, ANSWERED, ON THE WAY only if central's disk says so too |
| I6 (N5) | an alert is reported as shown once at each premises, over all restarts, and only to members of its schemes |
| I7 (N5) | nothing is shown that nobody pressed: forged, changed, foreign, revoked |
| I8 (N13) | what waited over a minute is never on a neighbour's panel, or in central's journal, as live |
| I9 (N2) | a whole press on a running node with a working disk becomes an alert of its kind |
| I10 (N2, N8) | when everything works again, every stored frame reaches central, and every outbox row its receipt |
| I22 (N3) | what a person asks of central is answered, unless central dies meanwhile |
| I23 (N13) | what is live by a scale that its receiver has is never journalled, or on a panel, as late |
"""

from __future__ import annotations

from typing import Final, NoReturn

from central.core.journal import FrameEntry
from node.core import effects as do
from node.core.scales import readings_s
from node.core.screens import Dots, Emphasis, Face, Screen
from sim.broken import BrokenInvariantError
from sim.central_disk import CentralDisk
from sim.invariants_air import AirInvariants
from sim.invariants_memory import Memory
from sim.invariants_panels import PanelInvariants
from sim.invariants_trust import TrustInvariants
from sim.timeline import Timeline
from sim.truth import Press, Truth
from sim.watched import WatchedNode
from wire.directory import Directory
from wire.errors import DecodeError
from wire.frames import Alert, PathTest, SignedFrame
from wire.ids import FrameId, NodeId
from wire.kinds import MEMBERS_WARNED, AlertKind

FLOODER: Final = NodeId(0xF100)
"""A stolen unit, not revoked: its frames are genuine, but nobody presses there."""
LATE_MS: Final = 60_000
LIVE_MS: Final = 50_000
LATE_SLACK_MS: Final = 8_000
"""Whole seconds in frames, the way to the panel, and central's time, which is off by its message's delay."""
STAMP_SLACK_S: Final = 5
STORED_WITHIN_MS: Final = 1_500


class Invariants:
    """Sees everything, and knows the truth."""

    def __init__(self, timeline: Timeline, memberships: dict[NodeId, frozenset[int]]) -> None:
        self._timeline = timeline
        self.memberships = memberships
        self.truth: dict[FrameId, Truth] = {}
        self.presses: list[Press] = []
        self._alerts_of: dict[NodeId, list[tuple[int, AlertKind]]] = {}
        self._drafted_ms: dict[tuple[NodeId, int], int] = {}
        """When each draft of the nodes' present runs was made: it may wait for its incident's number, and the disk."""
        self.central_disk: CentralDisk | None = None
        self.nodes: dict[NodeId, WatchedNode] = {}
        self.is_central_clock_true = True
        self.central_boot = ""
        self.air = AirInvariants(timeline, self.truth)
        self.panels = PanelInvariants(self.truth)
        self.trust = TrustInvariants(timeline)
        self.memory = Memory()
        self.committed_ms: dict[FrameId, int] = {}
        self.receipted_ms: dict[FrameId, int] = {}
        self.unanswered: set[int] = set()
        """People's requests to the present run of central."""
        self.shown = 0
        self.late = 0

    # Called by the actors.

    def stored(self, node: WatchedNode, signed: SignedFrame, order: do.StoreFrame | None = None) -> None:
        """A row is on a node's disk; ``order``: the core's, if it is known."""
        frame = signed.frame
        before = self.truth.get(frame.id)
        is_other = before is not None and before.signed.data != signed.data
        if before is not None and is_other and not self.memory.is_reused(frame.id, before):
            self._broken("I2", f"counter {frame.counter} of {node.name} was used twice")
        is_true = abs(frame.at_s - (node.wall_at_s - node.clock_error_s)) <= STAMP_SLACK_S
        is_kept = not isinstance(frame, PathTest)
        self.receipted_ms.pop(frame.id, None)  # Its number belonged to an earlier press.
        self.truth[frame.id] = Truth(signed, self._timeline.now_ms, self._pressed_ms(node, order), is_true, is_kept)
        if isinstance(frame, Alert):
            self._alerts_of.setdefault(node.id, []).append((self._timeline.now_ms, frame.kind))
            self.air.pressed(node.id)

    def _pressed_ms(self, node: WatchedNode, order: do.StoreFrame | None) -> int:
        if order is None:
            return self._timeline.now_ms
        replaced = self.truth.get(FrameId(node.id, order.replaces))
        return self._drafted_ms[node.id, order.draft] if replaced is None else replaced.pressed_ms

    def refused(self, node: WatchedNode) -> None:
        """The node's disk refused a row."""
        for press in self.presses:
            if press.node == node.id and self._timeline.now_ms < press.ended_ms + STORED_WITHIN_MS:
                press.is_refused = True

    def committed(self, entries: list[FrameEntry]) -> None:
        """Entries are on central's disk."""
        for entry in entries:
            if entry.signed.frame.sender == FLOODER:
                continue
            truth = self.memory.truth_of(entry, self.truth.get(entry.signed.frame.id))
            if truth is None:
                self._broken("I7", f"central took {entry.signed.frame.id.text}, which nobody stored")
            waited_ms = self._timeline.now_ms - truth.stored_ms
            is_judged = truth.is_clock_true and self.is_central_clock_true
            if is_judged and waited_ms > LATE_MS + LATE_SLACK_MS and not entry.is_late:
                self._broken("I8", f"{entry.signed.frame.id.text} waited {waited_ms} ms and is journalled as live")
            age_ms = self._timeline.now_ms - truth.pressed_ms
            if entry.is_late and age_ms < LIVE_MS and self._knew_centrals_time(truth):
                self._broken("I23", f"{entry.signed.frame.id.text} waited {age_ms} ms and is journalled as late")
            self.late += entry.is_late
            self.memory.forgotten.discard(entry.signed.frame.id)
            self.committed_ms.setdefault(entry.signed.frame.id, self._timeline.now_ms)

    def _knew_centrals_time(self, truth: Truth) -> bool:
        """Whether its sender had central's time, from this run of central, before the press."""
        node = self.nodes[truth.signed.frame.sender]
        scale = next(iter(node.state.central.scales), None) if node.state is not None else None
        is_before = scale is not None and scale.learnt_ms + node.booted_ms <= truth.pressed_ms
        return is_before and scale is not None and scale.boot_id == self.central_boot

    def receipt_sent(self, target: FrameId, on_disk: dict[FrameId, FrameEntry]) -> None:
        """Central is about to send a receipt."""
        if target not in on_disk:
            self._broken("I4", f"receipt for {target.text}, which is not on central's disk")

    def asked(self, request: int) -> None:
        """A person requests something of central."""
        self.unanswered.add(request)

    def answered(self, request: int) -> None:
        """The person has the answer."""
        self.unanswered.discard(request)

    def central_died(self) -> None:
        """Central died; people's pages say so."""
        self.unanswered.clear()

    def node_orders(self, node: WatchedNode, effect: do.Effect) -> None:
        """A node is about to carry this out."""
        self.air.node_orders(node, effect)
        self.trust.node_orders(node, effect, {} if self.central_disk is None else self.central_disk.frames)
        for draft in () if node.state is None else node.state.drafts:
            self._drafted_ms.setdefault((node.id, draft.number), self._timeline.now_ms)
        match effect:
            case do.PublishFrame():
                row = node.disk.rows.get(effect.signed.frame.counter)
                if row is None or row.data != effect.signed.data:
                    self._broken("I1", f"{node.name} publishes {effect.signed.frame.id.text}, not on its disk")
            case do.MarkReceipted():
                self._must_be_committed("I3", node, effect.id)
                self.receipted_ms.setdefault(effect.id, self._timeline.now_ms)
            case do.KeepSeen(id=taken) if taken in self.truth:
                self.truth[taken].arrived_ms.setdefault(node.id, self._timeline.now_ms)
            case do.ReportFact(fact="receipt", alert=alert) if alert is not None:
                self._must_be_committed("I5", node, alert)
            case do.ReportFact(fact="shown", alert=alert) if alert is not None:
                self._shown(node, alert)
            case _:
                pass

    def on_panel(self, node: WatchedNode, screen: Screen) -> None:
        """A node's panel now shows this."""
        self.air.on_panel(node, screen)
        self.panels.on_panel(node, screen)
        self.trust.on_panel(node, screen)
        frame_id = _parsed(screen.concerns)
        if screen.face is Face.NEIGHBOUR and frame_id is not None:
            self._judge_neighbour(node, screen, frame_id)
        if frame_id is None or frame_id.node != node.id:
            return
        if screen.face in (Face.RECEIVED, Face.ANSWERED, Face.ON_THE_WAY) or screen.dots in (
            Dots.RECEIVED,
            Dots.ANSWERED,
        ):
            self._must_be_committed("I5", node, frame_id)
        if screen.face in (Face.ANSWERED, Face.ON_THE_WAY):
            wanted = "acknowledged" if screen.face is Face.ANSWERED else "on-the-way"
            assert self.central_disk is not None
            incident = _incident(self.truth, frame_id)
            if not any(
                not isinstance(entry, FrameEntry) and entry.kind == wanted and entry.incident == incident
                for entry in (*self.central_disk.journal, *self.memory.acts)
            ):
                self._broken("I5", f"{node.name} shows {screen.face} for {frame_id.text}; nobody did that")

    def node_died(self, node: WatchedNode) -> None:
        """The node's program died, and a press under way with it."""
        self.air.node_died(node)
        self._drafted_ms = {key: at_ms for key, at_ms in self._drafted_ms.items() if key[0] != node.id}
        for press in self.presses:
            if press.node != node.id or press.is_settled:
                continue
            # Nothing was promised yet; or the screen said NOT SAVED, and nothing could be sent.
            is_young = press.ended_ms + STORED_WITHIN_MS > self._timeline.now_ms
            press.is_settled = is_young or press.is_refused

    def cancelled(self, node: NodeId) -> None:
        """Its presser is cancelling: what is not on disk yet need not be sent."""
        for press in self.presses:
            press.is_settled = press.is_settled or press.node == node

    # Called by the campaign.

    def after_each(self) -> None:
        """Rows without a receipt are still there, unless central has them."""
        assert self.central_disk is not None
        self.trust.after_each(self.nodes)
        rows = {node: watched.disk.rows for node, watched in self.nodes.items()}
        for frame_id, truth in self.truth.items():
            row = rows[frame_id.node].get(frame_id.counter)
            # Nearly always; it is asked of everything after each step.
            if row is not None and row.data is truth.signed.data:
                continue
            if not truth.is_kept or self.memory.is_gone(frame_id):
                continue
            if row is None and frame_id not in self.central_disk.frames:
                self._broken("I3", f"{frame_id.text} is neither in the outbox nor on central's disk")
            if row is not None and row.data != truth.signed.data:
                self._broken("I2", f"the bytes of {frame_id.text} changed on disk")

    def judge_presses(self) -> None:
        """Every whole press became an alert of its kind.

        An alert answers for one press; but presses that the disk delayed or refused may share one, because the core
        takes them for the same press made again.
        """
        used: set[tuple[NodeId, int, AlertKind]] = set()
        for press in self.presses:
            alerts = [a for a in self._alerts_of.get(press.node, []) if a[1] is press.kind and a[0] >= press.begun_ms]
            found = next(
                (a for a in alerts if (press.node, a[0], press.kind) not in used or a[0] > press.ended_ms), None
            )
            if found is not None and (press.is_refused or press.is_settled):
                continue
            if found is not None:
                used.add((press.node, found[0], press.kind))
            elif not press.is_settled:
                self._broken(
                    "I9", f"{press.kind.slug} pressed at {press.node:08x}, {press.begun_ms} ms, became no alert"
                )

    def judge_delivery(self, revoked: frozenset[NodeId]) -> None:
        """Everything works again and time has passed: nothing may be missing."""
        assert self.central_disk is not None
        if self.unanswered:
            self._broken("I22", f"central has not answered the requests {sorted(self.unanswered)}")
        for frame_id, truth in self.truth.items():
            if frame_id.node in revoked or not truth.is_kept or self.memory.is_gone(frame_id):
                continue
            entry = self.central_disk.frames.get(frame_id)
            if entry is None or entry.signed.data != truth.signed.data:
                self._broken("I10", f"{frame_id.text} never reached central, or has gone from there")
            row = self.nodes[frame_id.node].disk.rows.get(frame_id.counter)
            if row is None or not row.is_receipted:
                self._broken("I10", f"{frame_id.text} never got its receipt")

    def judge_chains(self, revoked: frozenset[NodeId], *, can_answer: bool) -> None:
        """For a long time premises had no network, and a relay had one."""
        assert self.central_disk is not None
        self.air.judge_chains(self._licensed() - revoked, self.central_disk.frames, can_answer=can_answer)

    def judge_neighbours(self, since_ms: int, revoked: frozenset[NodeId]) -> None:
        """For a long time nobody had a network. A node that hides its own silent attack shows no other's (N4)."""
        hushed = self._hushed()
        listeners = {node: schemes for node, schemes in self.memberships.items() if node not in hushed}
        self.air.judge_neighbours(since_ms, self._licensed() - revoked, listeners)

    def judge_warned(self, directory: Directory, revoked: frozenset[NodeId]) -> None:
        """Everything works again and time has passed: every open alert has been seen, as what it is."""
        assert self.central_disk is not None
        unjudged = revoked | self._hushed() | {FLOODER}
        self.panels.judge_warned(self.central_disk.journal, directory, self.nodes.values(), self.memberships, unjudged)

    def _hushed(self) -> frozenset[NodeId]:
        frames = (truth.signed.frame for truth in self.truth.values())
        return frozenset(frame.sender for frame in frames if isinstance(frame, Alert) and frame.silent)

    def _licensed(self) -> frozenset[NodeId]:
        radios = ((node.id, node.settings.radio) for node in self.nodes.values())
        return frozenset(node for node, radio in radios if radio is not None and radio.licence)

    def _must_be_committed(self, invariant: str, node: WatchedNode, frame_id: FrameId) -> None:
        assert self.central_disk is not None
        if frame_id in self.memory.forgotten:
            return  # The node will be told; until then it shows what was true.
        if self.memory.is_gone(frame_id) and any(e.incident == frame_id for e in self.central_disk.frames.values()):
            return  # The incident has its first press's number; central holds a later press of it.
        entry, row = self.central_disk.frames.get(frame_id), node.disk.rows.get(frame_id.counter)
        if entry is None or (row is not None and row.data != entry.signed.data):
            self._broken(invariant, f"{node.name} takes {frame_id.text} for received; it is not on central's disk")

    def _is_somebodys(self, node: WatchedNode, alert: FrameId) -> bool:
        """Whether it is properly signed but no press, or one of two presses with one number."""
        is_signed_only = alert.node == FLOODER or self.air.is_thief_unknown_to(node, alert)
        return is_signed_only or alert in self.memory.earlier

    def _shown(self, node: WatchedNode, alert: FrameId) -> None:
        if self._is_somebodys(node, alert):
            return
        truth = self.truth.get(alert)
        if truth is None:
            self._broken("I7", f"{node.name} shows {alert.text}, which nobody pressed")
        frame = truth.signed.frame
        if not isinstance(frame, Alert) or frame.kind not in MEMBERS_WARNED:
            self._broken("I7", f"{node.name} shows {alert.text}, which members are not warned of")
        if not self.memberships[node.id] & set(frame.schemes) or alert.node == node.id:
            self._broken("I6", f"{node.name} is warned of {alert.text}, which is none of its business")
        if node.id in truth.remembered_at:
            self._broken("I6", f"{alert.text} was shown twice at {node.name}")
        truth.shown_at.add(node.id)
        if not node.disk.is_refusing:  # A disk that refuses cannot remember it over a restart.
            truth.remembered_at.add(node.id)
        self.shown += 1

    def _judge_neighbour(self, node: WatchedNode, screen: Screen, alert: FrameId) -> None:
        if self._is_somebodys(node, alert):
            return  # For two presses with one number, a panel does not say which it shows.
        truth = self.truth.get(alert)
        if truth is None:
            self._broken("I7", f"{node.name} has {alert.text} on its panel, which nobody pressed")
        is_judged = truth.is_clock_true and node.is_clock_proven and node.clock_error_s == 0 and node.is_time_true
        # Judged by its age on arrival: a wait for the panel is not its sender's fault. A panel that knows an incident
        # only from central names its first press, and tells of its newest.
        waited_ms = truth.arrived_ms.get(node.id, self._timeline.now_ms) - self._newest_of(alert, truth)
        is_said = any(word in text for text in screen.lines for word in ("LATE", "ANSWERED", "COMING", "Cancelled"))
        is_first = node.id not in truth.shown_at
        is_told_late = any("LATE" in text for text in screen.lines)
        is_live = self._timeline.now_ms - truth.pressed_ms < LIVE_MS and self._is_live_by_a_scale(node, truth)
        if is_told_late and is_first and is_live:
            self._broken("I23", f"{alert.text} is live, and shown as late at {node.name}: {screen.lines}")
        if is_judged and is_first and waited_ms > LATE_MS + LATE_SLACK_MS:
            is_as_live = not is_said or screen.emphasis is Emphasis.INVERTED
            if is_as_live:
                self._broken(
                    "I8", f"{alert.text} waited {waited_ms} ms and is shown as live at {node.name}: {screen.lines}"
                )

    def _newest_of(self, alert: FrameId, truth: Truth) -> int:
        """When the newest press of the incident opened by ``alert`` was stored."""
        of_it = (one for one in self.truth.values() if _incident(self.truth, one.signed.frame.id) == alert)
        return max((one.stored_ms for one in of_it if isinstance(one.signed.frame, Alert)), default=truth.stored_ms)

    def _is_live_by_a_scale(self, node: WatchedNode, truth: Truth) -> bool:
        """Whether a scale of the node's gives the true age, and central's journal does not say *late*."""
        frame, state = truth.signed.frame, node.state
        assert self.central_disk is not None
        entry = self.central_disk.frames.get(frame.id)
        if state is None or not frame.at_s or (entry is not None and entry.is_late):
            return False
        age_s = (self._timeline.now_ms - truth.pressed_ms) // 1000
        said_s = [now_s - frame.at_s for now_s in readings_s(state, node.monotonic_ms)]
        return any(abs(one_s - age_s) <= STAMP_SLACK_S - 1 for one_s in said_s)

    def _broken(self, invariant: str, what: str) -> NoReturn:
        raise BrokenInvariantError(f"{invariant}: {what} (at {self._timeline.now_ms} ms)")


def _parsed(text: str) -> FrameId | None:
    try:
        return FrameId.parse(text) if text else None
    except DecodeError:
        return None


def _incident(truth: dict[FrameId, Truth], frame_id: FrameId) -> FrameId:
    known = truth.get(frame_id)
    frame = known.signed.frame if known else None
    return frame.incident_id if isinstance(frame, Alert) else frame_id
