"""Central in the simulation: the real core, a journal that survives it, commits that take time or are refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from central.core import effects as do
from central.core import events as ev
from central.core.journal import FrameEntry, JournalEntry, Recall, SeenFrame
from central.core.machine import CentralCore
from central.core.view import Action, Card, Person
from sim.broker import SimBroker
from sim.node_actor import EPOCH_S
from sim.plants import Plant
from sim.timeline import Timeline
from sim.watch import Watch
from wire.directory import open_directory
from wire.errors import DecodeError
from wire.frames import Acknowledgement, Frame, Receipt, ReceiptBatch, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import Path
from wire.messages import Health, Sync, decode_message, encode_message
from wire.signing import PublicKey, SigningKey
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Topic, Up, UpTopic

COMMIT_MS: Final = (1, 6)
RESTART_MS: Final = (1_000, 10_000)
TICK_MS: Final = 1_000


@dataclass(slots=True)
class CentralDisk:
    """What survives. ``journal`` holds every committed entry; ``frames`` says which frames are in it."""

    journal: list[JournalEntry] = field(default_factory=list)
    frames: dict[FrameId, FrameEntry] = field(default_factory=dict)
    counter: int = 0
    is_refusing: bool = False


class SimCentral:
    """Central. The watch sees everything it does before it takes effect."""

    def __init__(
        self,
        *,
        key: SigningKey,
        authority: PublicKey,
        directory: bytes,
        timeline: Timeline,
        broker: SimBroker,
        watch: Watch,
        plant: Plant | None,
    ) -> None:
        self.disk = CentralDisk()
        self.clock_error_s = 0
        self.directory = directory
        self.crash_after_orders: int | None = None
        self.cards: dict[str, Card] = {}
        """The board as a person sees it."""
        self._key = key
        self._authority = authority
        self._timeline = timeline
        self._broker = broker
        self._watch = watch
        self._plant = plant
        self._core: CentralCore | None = None
        self._run = 0
        self._batch: list[do.CommitFrame | do.CommitAction] = []
        self._request = 0
        self._acknowledgements: dict[FrameId, bytes] = {}

    @property
    def id(self) -> NodeId:
        """Ours."""
        return CENTRAL

    @property
    def is_running(self) -> bool:
        """Whether the program runs."""
        return self._core is not None

    @property
    def now_at(self) -> datetime:
        """What its clock says."""
        return datetime.fromtimestamp(EPOCH_S + self.clock_error_s, UTC) + timedelta(milliseconds=self._timeline.now_ms)

    def start(self) -> None:
        """The program starts; what the disk has is what it knows."""
        if self._core is not None:
            return
        self._run += 1
        self._core = CentralCore()
        self._batch = []
        self._acknowledgements = {}
        self.cards = {}
        self._timeline.note("central", f"starts, {len(self.disk.journal)} entries")
        directory = open_directory(self.directory, self._authority)
        self._take(ev.Started(f"central-{self._run}", directory, self.directory, self._recall()))
        self._broker.connect(self.id)
        self._tick(self._run)

    def crash(self, down_ms: int | None = None) -> None:
        """The program is gone, between two orders; it starts again in ``down_ms``, or soon."""
        if self._core is None:
            return
        self._core = None
        self._batch = []
        self.crash_after_orders = None
        self._broker.gone(self.id)
        self._timeline.note("central", "killed")
        restart_ms = self._timeline.chance.randint(*RESTART_MS) if down_ms is None else down_ms
        self._timeline.after(restart_ms, self.start)

    def use_directory(self, sealed: bytes) -> None:
        """The fleet wrote a newer one."""
        self.directory = sealed
        self._take(ev.DirectoryChanged(open_directory(sealed, self._authority), sealed))

    def act(self, action: Action, by: Person) -> None:
        """A person does something."""
        self._request += 1
        self._take(ev.ActionRequested(self._request, action, by))

    def link_up(self) -> None:
        """Connected and subscribed."""
        self._take(ev.LinkUp())

    def link_down(self) -> None:
        """The connection is gone."""
        self._take(ev.LinkDown("connection lost"))

    def receive(self, topic: Topic, payload: bytes) -> None:
        """A message; decoded as the intake does it."""
        try:
            match topic:
                case FrameTopic():
                    self._take(ev.FrameArrived(payload, topic, Path.NETWORK))
                case UpTopic(channel=Up.HEARD):
                    self._take(ev.FrameArrived(payload, None, Path.RADIO, topic.node))
                case UpTopic(channel=Up.HEALTH):
                    self._take(ev.HealthArrived(topic.node, decode_message(payload, Health)))
                case UpTopic(channel=Up.SYNC):
                    self._take(ev.SyncArrived(topic.node, decode_message(payload, Sync)))
                case _:
                    pass
        except DecodeError as e:
            self._take(ev.InputRejected(e.reason, None))

    def _recall(self) -> Recall:
        highest: dict[NodeId, int] = {}
        on_watch: dict[Person, None] = {}
        for entry in self.disk.journal:
            if isinstance(entry, FrameEntry):
                node, counter = entry.signed.frame.sender, entry.signed.frame.counter
                highest[node] = max(highest.get(node, 0), counter)
            elif entry.kind == "watch-started" and entry.by:
                on_watch[entry.by] = None
            elif entry.kind == "watch-ended" and entry.by:
                on_watch.pop(entry.by, None)
        return Recall(
            journal=tuple(self.disk.journal),
            seen=tuple(SeenFrame(i, e.digest, e.is_late) for i, e in self.disk.frames.items()),
            highest_counters=tuple(highest.items()),
            on_watch=tuple(on_watch),
            last_entry=max((entry.entry for entry in self.disk.journal), default=0),
        )

    def _tick(self, run: int) -> None:
        if self._run == run and self._core is not None:
            self._take(ev.Ticked())
            self._timeline.after(TICK_MS, lambda: self._tick(run))

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

    def _carry_out(self, effect: do.Effect) -> None:  # noqa: C901, PLR0912 - one arm an order
        match effect:
            case do.CommitFrame():
                if self._plant is Plant.RECEIPT_BEFORE_COMMIT:
                    frame_id = effect.entry.signed.frame.id
                    self._carry_out(do.SendReceipt(frame_id.node, frame_id, is_late=False))
                if self._plant is Plant.LATE_SHOWN_AS_LIVE:
                    effect = do.CommitFrame(replace(effect.entry, is_late=False))
                self._order_commit(effect)
            case do.CommitAction():
                self._order_commit(effect)
            case do.SendReceipt():
                self._watch.receipt_sent(effect.target, self.disk.frames)
                frame = Receipt(CENTRAL, self._counter(), self._at_s(), effect.target, late=effect.is_late)
                self._send_frame(effect.node, Down.RECEIPT, frame)
            case do.SendAcknowledgement():
                frame_ = Acknowledgement(
                    CENTRAL, self._counter(), self._at_s(), effect.target, effect.role, effect.state, effect.name
                )
                data = self._send_frame(effect.node, Down.ACK, frame_)
                if effect.air is not None:
                    self._acknowledgements[effect.target] = data
                    self._send(effect.air, Down.AIR, data)
            case do.RepeatAcknowledgement():
                if effect.target in self._acknowledgements:
                    self._send(effect.node, Down.AIR, self._acknowledgements[effect.target])
            case do.SendReceiptsToAir():
                for told in effect.targets:
                    self._watch.receipt_sent(told.target, self.disk.frames)
                self._watch.air.answered()
                batch = ReceiptBatch(CENTRAL, self._counter(), self._at_s(), effect.targets)
                one = Receipt(CENTRAL, batch.counter, batch.at_s, effect.targets[0].target, effect.targets[0].late)
                self._send_frame(effect.node, Down.AIR, one if len(effect.targets) == 1 else batch)
            case do.SendFrameToAir():
                self._send(effect.node, Down.AIR, effect.data)
            case do.PublishIncident():
                self._broker.publish(
                    self.id, IncidentTopic(effect.state.scheme), encode_message(effect.state), 1, _nothing
                )
            case do.PublishStatus():
                self._broker.publish(self.id, CentralTopic(effect.scheme), encode_message(effect.status), 0, _nothing)
            case do.SendSyncAnswer():
                topic = DownTopic(effect.node, Down.SYNC)
                self._broker.publish(self.id, topic, encode_message(effect.answer), 1, _nothing)
            case do.SendDirectory():
                self._broker.publish(self.id, DownTopic(effect.node, Down.DIRECTORY), effect.data, 1, _nothing)
            case do.ShowBoard():
                self.cards = {card.incident: card for card in effect.board.cards}
            case do.ShowChange():
                self.cards.update((card.incident, card) for card in effect.change.cards)
            case do.ProbeStore():
                if not self.disk.is_refusing:
                    self._timeline.after(1, lambda: self._take(ev.StoreRecovered()))
            case _:
                pass

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
        self._watch.committed(new)
        if self._timeline.chance.random() < 0.02 and self.crash_after_orders is not None:  # noqa: PLR2004 - rare
            self.crash()  # The worst moment: on disk, and nobody told.
            return
        if new:
            self._take(ev.FramesCommitted(tuple(entry.signed.frame.id for entry in new)))
        if known:
            stored = [self.disk.frames[frame_id] for frame_id in known]
            self._take(ev.FramesKnown(tuple(SeenFrame(e.signed.frame.id, e.digest, e.is_late) for e in stored)))
        for entry in actions:
            self._take(ev.ActionCommitted(entry.entry))

    def _counter(self) -> int:
        self.disk.counter += 1
        return self.disk.counter

    def _at_s(self) -> int:
        return max(0, int(self.now_at.timestamp()))

    def _send_frame(self, node: NodeId, channel: Down, frame: Frame) -> bytes:
        data = encode(frame, self._key)
        self._watch.air.central_said.add(data)
        self._send(node, channel, data)
        return data

    def _send(self, node: NodeId, channel: Down, data: bytes) -> None:
        qos = 0 if channel is Down.AIR else 1
        self._broker.publish(self.id, DownTopic(node, channel), data, qos, _nothing)


def _nothing() -> None:
    return
