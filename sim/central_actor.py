"""Central in the simulation: the real core, a journal that survives it, commits that take time or are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from central.core import effects as do
from central.core import events as ev
from central.core import said
from central.core.fair_queue import FairQueue
from central.core.journal import FrameEntry, Recall, SeenFrame
from central.core.machine import CentralCore
from central.core.rights import TABLE, Rights
from central.core.view import Action, Card, DutyKey, OnDuty, Person
from sim.asked import AskedWorld
from sim.broker import Message, SimBroker, is_signed_by
from sim.central_bugs import Bugs, PlantedBugError
from sim.central_disk import CentralDisk
from sim.invariants import Invariants
from sim.invariants_desk import judge_desk
from sim.invariants_scope import ScopedPages
from sim.node_actor import EPOCH_S
from sim.plants import FirstCome, Plant, spoil_card, spoil_central_order
from sim.timeline import Timeline
from wire.directory import open_directory
from wire.errors import DecodeError
from wire.frames import Frame, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import Path
from wire.messages import Health, Sync, decode_message, encode_message
from wire.signing import PublicKey, SigningKey, sign_message
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Topic, Up, UpTopic

STAFF_RIGHTS: Final = Rights(frozenset((role, scheme) for role in TABLE for scheme in (1, 2)))
"""Every role in both schemes of the simulated town."""

COMMIT_MS: Final = (1, 6)
RESTART_MS: Final = (1_000, 10_000)
TICK_MS: Final = 1_000
WORK_MS: Final = 20
"""Per message: a slow, busy machine, so that a few hundred messages are a flood."""
TAKEN_MAX: Final = 500
_WITHOUT_EFFECT: Final = (do.CallOff, do.KeepDirectory, do.KeepFigures, do.KeepNodes, do.ReportFact)
"""Orders that change nothing here. An order missing from the table raises."""


class SimCentral:
    """Central. The invariants see everything it does before it takes effect."""

    def __init__(
        self,
        *,
        key: SigningKey,
        authority: PublicKey,
        directory: bytes,
        timeline: Timeline,
        broker: SimBroker,
        invariants: Invariants,
        plant: Plant | None,
    ) -> None:
        self.disk = CentralDisk()
        self.clock_error_s = 0
        self._began_with_s = 0
        self._times: dict[int, None] = {}
        self.directory = directory
        self._opened = open_directory(directory, authority)
        self.crash_after_orders: int | None = None
        self.cards: dict[str, Card] = {}
        """The board as people see it."""
        self._key = key
        self._authority = authority
        self._timeline = timeline
        self._broker = broker
        self._invariants = invariants
        self._plant = plant
        is_open = plant is Plant.SCOPE_FORGOTTEN
        self._pages = ScopedPages(invariants.memberships, self._opened.schemes, is_open=is_open)
        self.bugs: Bugs | None = None
        self.asked: AskedWorld | None = None
        self.on_duty: tuple[OnDuty, ...] = ()
        self._core: CentralCore | None = None
        self._run = 0
        self._waiting: FairQueue[Message] = FairQueue()
        self._is_busy = False
        self._batch: list[do.CommitFrame | do.CommitAction] = []
        self._request = 0
        self._acknowledgements: dict[FrameId, bytes] = {}
        self._do = self._doers()

    @property
    def id(self) -> NodeId:
        """Central's node id."""
        return CENTRAL

    @property
    def is_running(self) -> bool:
        """Whether the program runs."""
        return self._core is not None

    @property
    def now_at(self) -> datetime:
        """Its time: the clock as it was when this run began, and steady since."""
        return datetime.fromtimestamp(EPOCH_S + self._began_with_s, UTC) + timedelta(milliseconds=self._timeline.now_ms)

    def start(self) -> None:
        """The program starts, knowing only what is on disk."""
        if self._core is not None:
            return
        self._run += 1
        self._began_with_s = self.clock_error_s
        earlier = tuple(timedelta(seconds=s - self._began_with_s) for s in self._times if s != self._began_with_s)
        self._times = {**self._times, self._began_with_s: None}
        self._invariants.is_central_clock_true = self.clock_error_s == 0
        self._invariants.central_boot = f"central-{self._run}"
        self._core = self.bugs.core() if self.bugs is not None else CentralCore()
        self._waiting = FirstCome() if self._plant is Plant.NO_BUDGET else FairQueue()
        self._is_busy = False
        self._batch = []
        self._acknowledgements = {}
        self.cards = {}
        self._timeline.note("central", f"starts, {len(self.disk.journal)} entries")
        self._opened = open_directory(self.directory, self._authority)
        self._take(ev.Started(f"central-{self._run}", self._opened, self.directory, self._recall(), earlier))
        if self.asked is not None:
            self.asked.begun()
        self._broker.connect(self.id)
        self._tick(self._run)

    def crash(self, down_ms: int | None = None) -> None:
        """The program dies between two orders; it restarts in ``down_ms``, or soon."""
        if self._core is None:
            return
        self._core = None
        self._invariants.central_died()
        self._batch = []
        self.crash_after_orders = None
        self._broker.gone(self.id)
        self._timeline.note("central", "killed")
        restart_ms = self._timeline.chance.randint(*RESTART_MS) if down_ms is None else down_ms
        self._timeline.after(restart_ms, self.start)

    def put_back(self, copy: CentralDisk) -> None:
        """The program is stopped, its database replaced by ``copy``, and restarted."""
        if self._core is None:
            return
        kept = {entry.entry for entry in copy.journal}
        forgotten = [entry for entry in self.disk.journal if entry.entry not in kept]
        self._invariants.memory.central_forgot(forgotten)
        self._timeline.note("central", f"restored from a backup, {len(forgotten)} entries forgotten")
        # The invariants hold this disk, so its content is replaced, not the object.
        self.disk.journal[:] = copy.journal
        self.disk.frames.clear()
        self.disk.frames.update(copy.frames)
        self.disk.counter, self.disk.raised_entry = copy.counter, copy.raised_entry
        if self.asked is not None:
            self.asked.forgotten()
        self.crash()

    def use_directory(self, sealed: bytes) -> None:
        """The fleet has issued a newer one."""
        self.directory, self._opened = sealed, open_directory(sealed, self._authority)
        self._take(ev.DirectoryChanged(self._opened, sealed))

    def act(self, action: Action, by: Person) -> None:
        """A person takes an action."""
        self._request += 1
        self._invariants.asked(self._request)
        self._take(ev.ActionRequested(self._request, action, by, STAFF_RIGHTS))

    def link_up(self) -> None:
        """Connected and subscribed."""
        self._take(ev.LinkUp())

    def link_down(self) -> None:
        """The connection is lost."""
        self._take(ev.LinkDown("connection lost"))

    def receive(self, message: Message) -> None:
        """A message, queued until its turn."""
        size, now_s = len(message.payload), self._timeline.now_ms / 1_000
        if self._core is not None and self._waiting.put(message, topic=str(message.topic), size=size, now_s=now_s):
            self._look()

    def _look(self) -> None:
        """Read the next messages, unless the last ones still take their time."""
        if self._is_busy:
            return
        messages, run = self._waiting.take(TAKEN_MAX), self._run
        self._is_busy = bool(messages)
        for message in messages:
            self._read(message)

        def done() -> None:
            if self._run == run:
                self._is_busy = False
                self._look()

        if messages:
            self._timeline.after(WORK_MS * len(messages), done)

    def _read(self, message: Message) -> None:
        """Read a message as the intake does."""
        topic, payload = message.topic, message.payload

        def is_signed(node: NodeId) -> bool:
            return is_signed_by(node, self._opened, message)

        try:
            match topic:
                case FrameTopic():
                    self._take(ev.FrameArrived(payload, topic, Path.NETWORK))
                case UpTopic(channel=Up.HEARD):
                    is_signed(topic.node)
                    self._take(ev.FrameArrived(payload, None, Path.RADIO, topic.node))
                case UpTopic(channel=Up.HEALTH):
                    self._take(ev.HealthArrived(topic.node, decode_message(payload, Health), is_signed(topic.node)))
                case UpTopic(channel=Up.SYNC):
                    self._take(ev.SyncArrived(topic.node, decode_message(payload, Sync), is_signed(topic.node)))
                case _:
                    pass
        except DecodeError as e:
            self._take(ev.InputRejected(e.reason, None))

    def _recall(self) -> Recall:
        highest: dict[NodeId, int] = {}
        on_duty: dict[DutyKey, OnDuty] = {}
        for entry in self.disk.journal:
            if isinstance(entry, FrameEntry):
                node, counter = entry.signed.frame.sender, entry.signed.frame.counter
                highest[node] = max(highest.get(node, 0), counter)
            elif entry.kind == "duty-started" and entry.by:
                by, before = entry.by, on_duty.get(entry.by.key)
                since = entry.at if before is None else before.since
                about = by.role, by.name, since, by.account, entry.schemes, entry.text
                on_duty[by.key] = OnDuty(*about, is_unread=before is None or before.is_unread or before.role != by.role)
            elif entry.kind == "duty-ended" and entry.by:
                on_duty.pop(entry.by.key, None)
        return Recall(
            journal=tuple(self.disk.journal),
            seen=tuple(SeenFrame(i, e.digest, e.is_late) for i, e in self.disk.frames.items()),
            highest_counters=tuple(highest.items()),
            on_duty=tuple(on_duty.values()),
            last_entry=max((self.disk.raised_entry, *(entry.entry for entry in self.disk.journal))),
            raised_entry=self.disk.raised_entry,
            acts=self.disk.acts,
        )

    def _tick(self, run: int) -> None:
        if self._run == run and self._core is not None:
            self._take(ev.Ticked())
            if self.asked is not None:
                self.asked.look(self._opened)
            self._timeline.after(TICK_MS, lambda: self._tick(run))

    def take(self, event: ev.Event) -> None:
        """Something comes from the office or the notifier; lost if central is not there."""
        self._take(event)

    def _take(self, event: ev.Event) -> None:
        if self._core is None:
            return
        effects = self._core.handle(event, self.now_at)
        if effects or not isinstance(event, ev.Ticked | ev.HealthArrived):
            self._timeline.note(
                "central", f"{type(event).__name__} -> {' '.join(type(effect).__name__ for effect in effects)}"
            )
        for effect in effects:
            self._carry_out(effect)
            if self.crash_after_orders is not None:
                self.crash_after_orders -= 1
                if self.crash_after_orders <= 0:
                    self.crash()
                    return

    def _carry_out(self, effect: do.Effect) -> None:
        for spoilt in spoil_central_order(self._plant, effect):
            self._do[type(spoilt)](spoilt)

    def _doers(self) -> dict[type[Any], Callable[[Any], None]]:
        return {
            do.CommitFrame: self._order_commit,
            do.CommitAction: self._order_commit,
            do.RaiseNumbers: self._raise_numbers,
            do.ProbeStore: self._probe,
            do.SendReceipt: self._send_receipt,
            do.SendRefusal: self._send_refusal,
            do.SendAcknowledgement: self._send_acknowledgement,
            do.SayAcknowledgement: self._say_acknowledgement,
            do.SendReceiptsToAir: self._send_receipts_to_air,
            do.SendFrameToAir: lambda order: self._send(order.node, Down.AIR, order.data),
            do.SendDirectory: lambda order: self._send(order.node, Down.DIRECTORY, order.data),
            do.SendSyncAnswer: lambda order: self._say(
                DownTopic(order.node, Down.SYNC), encode_message(order.answer), 1
            ),
            do.PublishIncident: lambda order: self._say(
                IncidentTopic(order.state.scheme), encode_message(order.state), 1
            ),
            do.PublishStatus: self._publish_status,
            do.ShowBoard: self._show_board,
            do.ShowChange: self._show_change,
            do.AnswerAction: lambda order: self._invariants.answered(order.request),
            do.SetAside: self._set_aside,
            do.KeepActs: self._keep_acts,
            do.RecallOpen: self._recall_open,
            do.Ask: lambda order: self.asked.ordered(order) if self.asked is not None else None,
            do.Tell: lambda order: self.asked.told(order) if self.asked is not None else None,
            do.Yield: lambda _order: self._take_soon(ev.Resumed()),
            **dict.fromkeys(_WITHOUT_EFFECT, _nothing),
        }

    def _send_receipt(self, order: do.SendReceipt) -> None:
        self._invariants.receipt_sent(order.target, self.disk.frames)
        self._send_frame(order.node, Down.RECEIPT, said.receipt(order, self._counter(), self._at_s()))

    def _send_refusal(self, order: do.SendRefusal) -> None:
        data = self._send_frame(order.node, Down.RECEIPT, said.refusal(order, self._counter(), self._at_s()))
        if order.air is not None:
            self._send(order.air, Down.AIR, data)

    def _send_acknowledgement(self, order: do.SendAcknowledgement) -> None:
        data = self._send_frame(order.node, Down.ACK, said.acknowledgement(order, self._counter(), self._at_s()))
        self._acknowledgements[order.target] = data
        if order.air is not None:
            self._send(order.air, Down.AIR, data)

    def _say_acknowledgement(self, order: do.SayAcknowledgement) -> None:
        if order.target in self._acknowledgements:
            self._send(order.node, Down.AIR, self._acknowledgements[order.target])

    def _send_receipts_to_air(self, order: do.SendReceiptsToAir) -> None:
        for told in order.targets:
            self._invariants.receipt_sent(told.target, self.disk.frames)
        self._invariants.air.answered()
        self._send_frame(order.node, Down.AIR, said.receipts_on_air(order, self._counter(), self._at_s()))

    def _publish_status(self, order: do.PublishStatus) -> None:
        self._invariants.trust.said(order.status)
        self._say(CentralTopic(order.scheme), encode_message(order.status), 0)

    def _raise_numbers(self, order: do.RaiseNumbers) -> None:
        self.disk.counter = max(self.disk.counter, order.counter)
        self.disk.raised_entry = max(self.disk.raised_entry, order.entry)

    def _probe(self, _order: do.ProbeStore) -> None:
        if not self.disk.is_refusing:
            self._timeline.after(1, lambda: self._take(ev.StoreRecovered()))

    def _keep_acts(self, order: do.KeepActs) -> None:
        self.disk.acts = order.acts

    def _recall_open(self, order: do.RecallOpen) -> None:
        of_node = (entry for entry in self.disk.journal if entry.incident and entry.incident.node == order.node)
        found = tuple(entry for entry in of_node if entry.incident and entry.incident.counter not in order.known)
        self._take_soon(ev.OpenRecalled(order.node, found, is_all=True, act=order.act))

    def _take_soon(self, event: ev.Event) -> None:
        run = self._run
        self._timeline.after(1, lambda: self._take(event) if self._run == run else None)

    def _set_aside(self, order: do.SetAside) -> None:
        if not isinstance(order.error, PlantedBugError):
            raise order.error

    def _show_board(self, order: do.ShowBoard) -> None:
        if self.bugs is None:  # With bugs kept by half, the page itself is what breaks first.
            self._pages.begin(order.board)
        self.cards = {}
        self.on_duty = order.board.on_duty
        self._show(order.board.cards)

    def _show_change(self, order: do.ShowChange) -> None:
        if self.bugs is None:
            self._pages.take(order.change)
        if order.change.on_duty is not None:
            self.on_duty = order.change.on_duty
        for key in order.change.gone_cards:
            self.cards.pop(key, None)
        self._show(order.change.cards)

    def _show(self, cards: tuple[Card, ...]) -> None:
        for card in cards:
            self.cards[card.key] = spoil_card(self._plant, card)

    def _order_commit(self, effect: do.CommitFrame | do.CommitAction) -> None:
        if not self._batch:
            run = self._run
            self._timeline.after(
                self._timeline.chance.randint(*COMMIT_MS), lambda: self._commit() if self._run == run else None
            )
        self._batch.append(effect)

    def _commit(self) -> None:
        batch, self._batch = self._batch, []
        if self._core is None or not batch:
            return
        frames = [effect.entry for effect in batch if isinstance(effect, do.CommitFrame)]
        actions = [effect.entry for effect in batch if isinstance(effect, do.CommitAction)]
        if self.disk.is_refusing:
            ids = tuple(entry.signed.frame.id for entry in frames)
            self._take(ev.CommitFailed(ids, tuple(entry.entry for entry in actions), "disk full"))
            return
        new = [entry for entry in frames if entry.signed.frame.id not in self.disk.frames]
        known = [entry.signed.frame.id for entry in frames if entry.signed.frame.id in self.disk.frames]
        self.disk.frames.update((entry.signed.frame.id, entry) for entry in new)
        self.disk.journal += sorted([*new, *actions], key=lambda entry: entry.entry)
        self._invariants.committed(new)
        if self._timeline.chance.random() < 0.02 and self.crash_after_orders is not None:  # noqa: PLR2004 - rare
            self.crash()  # The worst moment: on disk, and nobody told.
            return
        # In the order they were issued: an action is committed only when no frame is on its way to disk.
        for act in actions:
            self._take(ev.ActionCommitted(act.entry))
        if new:
            self._take(ev.FramesCommitted(tuple(entry.signed.frame.id for entry in new)))
            if self._core is not None and self.bugs is None:
                judge_desk(self.disk.journal, new, self.cards.values(), self._timeline.now_ms)
                self._pages.judge(new, self.now_at)
        if known:
            stored = [self.disk.frames[frame_id] for frame_id in known]
            self._take(ev.FramesKnown(tuple(SeenFrame(e.signed.frame.id, e.digest, e.is_late) for e in stored)))

    def _counter(self) -> int:
        self.disk.counter += 1
        return self.disk.counter

    def _at_s(self) -> int:
        return max(0, int(self.now_at.timestamp()))

    def _send_frame(self, node: NodeId, channel: Down, frame: Frame) -> bytes:
        data = encode(frame, self._key)
        self._invariants.air.central_said.add(data)
        self._send(node, channel, data)
        return data

    def _send(self, node: NodeId, channel: Down, data: bytes) -> None:
        qos = 0 if channel is Down.AIR else 1
        self._broker.publish(self.id, Message(DownTopic(node, channel), data), qos, lambda: None)

    def _say(self, topic: Topic, payload: bytes, qos: int) -> None:
        signature = sign_message(self._key, str(topic), payload)
        self._broker.publish(self.id, Message(topic, payload, signature), qos, lambda: None)


def _nothing(_order: do.Effect) -> None:
    return
