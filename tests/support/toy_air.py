"""A town of nodes on a toy air: bursts and carriers, no samples."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from types import MappingProxyType

from msgspec.structs import replace

from node.core.air import BURST_GAP_MS, KEY_UP_MS, LADDER, SPEECH_GAP_MS, SPEECH_MS, Mode, burst_ms
from node.core.controls import Button
from node.core.effects import (
    Effect,
    RelayFrame,
    ReportFact,
    StoreFrame,
    TransmitOver,
    frame_of,
)
from node.core.events import (
    AirAsked,
    CentralStatusReceived,
    ChannelChanged,
    ClockRead,
    Event,
    FrameReceived,
    FrameStored,
    LinkUp,
    OverEnded,
    OverStarted,
    PinChanged,
    Started,
    Ticked,
)
from node.core.machine import initial_state, next_deadline_ms, step
from node.core.settings import RadioSettings, Settings
from node.core.state import NodeState
from wire.directory import Directory, SchemeEntry, Sender
from wire.frames import ReceiptBatch, Receipted, SignedFrame, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import Path
from wire.messages import CentralStatus
from wire.signing import SigningKey

LOSS = {LADDER[0]: 0.05, LADDER[1]: 0.02, LADDER[2]: 0.01}
BLIND_MS, CLEAR_MS, READY_MS = 300, 60, (10, 40)
GATEWAY = NodeId(0x1000)
HART = 1


def key_of(node: int) -> SigningKey:
    return SigningKey(hashlib.sha256(f"toy {node}".encode()).digest())


def sender_of(node: NodeId) -> Sender:
    is_central, is_gateway = node == CENTRAL, node == GATEWAY
    schemes = frozenset() if is_central else frozenset({HART})
    return Sender(node, key_of(node).public, f"Shop {node}", "", schemes, is_central, False, is_gateway)  # noqa: FBT003


@dataclass
class Carrier:
    """One transmission: bursts as (from, until, bytes)."""

    node: int
    starts_ms: int
    ends_ms: int = 1 << 62
    bursts: list[tuple[int, int, bytes]] = field(default_factory=list)


class Town:
    """``count`` nodes without a network and a gateway with one, on one frequency. No samples: bursts and carriers.

    A carrier is noticed ``BLIND_MS`` after it began, overlapping bursts destroy each other, and who
    transmits hears nothing.
    """

    def __init__(self, count_of_nodes: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.loss = LOSS
        self.now_ms = 0
        self.nodes = [GATEWAY, *(NodeId(0x10 + n) for n in range(count_of_nodes))]
        self.directory = self._directory()
        self.states: dict[int, NodeState] = {}
        self.counters: dict[int, int] = dict.fromkeys(self.nodes, 0)
        self.busy: dict[int, bool] = dict.fromkeys(self.nodes, False)
        self.deaf_until: dict[int, int] = dict.fromkeys(self.nodes, 0)
        self.carriers: list[Carrier] = []
        self.keyed: dict[int, Carrier] = {}
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.order = count()
        self.ticks: dict[int, int] = {}
        self.facts: list[tuple[int, int, ReportFact]] = []
        self.overs: list[tuple[int, int, TransmitOver]] = []
        self.receipts: dict[FrameId, int] = {}
        self.committed: dict[FrameId, int] = {}
        self.recent: list[tuple[int, Receipted]] = []
        self.answers: dict[FrameId, tuple[int, int]] = {}
        self.central_counter = 0
        self.airtime_ms = 0
        for node in self.nodes:
            settings = Settings(node, f"Shop {node}", "", (HART,), radio=self._radio(node))
            self.states[node] = initial_state(settings)
            self.take(node, Started("boot", (), (), self.directory, 0))
            self.take(node, ClockRead(1_795_000_000, is_proven=True))
        self.take(GATEWAY, LinkUp())
        self._heartbeat()

    def _radio(self, node: int) -> RadioSettings:
        made = RadioSettings(licence="L-1", seed=self.chance.getrandbits(60) + node)
        return replace(made, timing=replace(made.timing, path_test_first_ms=10**9, path_test_ms=10**9))

    def _directory(self) -> Directory:
        senders = {CENTRAL: sender_of(CENTRAL)} | {node: sender_of(node) for node in self.nodes}
        schemes = {HART: SchemeEntry(number=HART, slug="hart", name="HART")}
        return Directory(1, MappingProxyType(senders), MappingProxyType(schemes))

    def _heartbeat(self) -> None:
        at = datetime.fromtimestamp(1_795_000_000, UTC) + timedelta(milliseconds=self.now_ms)
        status = CentralStatus(boot_id="c", at=at, expires_at=at + timedelta(seconds=30), on_duty=())
        self.take(GATEWAY, CentralStatusReceived(status))
        self.later(10_000, self._heartbeat)

    # -- time

    def later(self, wait_ms: int, action: Callable[[], None]) -> None:
        heapq.heappush(self.heap, (self.now_ms + wait_ms, next(self.order), action))

    def run(self, until_ms: int, done: Callable[[], bool] = lambda: False) -> int:
        while self.heap and self.heap[0][0] <= until_ms and not done():
            self.now_ms, _, action = heapq.heappop(self.heap)
            action()
        return self.now_ms

    def take(self, node: int, event: Event) -> None:
        self.states[node], effects = step(self.states[node], event, self.now_ms)
        for effect in effects:
            self._carry_out(node, effect)
        due_ms = next_deadline_ms(self.states[node])
        if due_ms is not None and self.ticks.get(node) != due_ms:
            assert due_ms > self.now_ms, "asks for a moment that has passed"
            self.ticks[node] = due_ms
            self.later(due_ms - self.now_ms, lambda: self._tick(node, due_ms))

    def _tick(self, node: int, due_ms: int) -> None:
        if self.ticks.get(node) == due_ms:
            self.ticks.pop(node)
            self.take(node, Ticked())

    def press(self, node: int, button: Button = Button.ATTACK) -> None:
        held_ms = 1_100 if button is Button.ATTACK else 100
        self.take(node, PinChanged(button, is_down=True))
        self.later(held_ms, lambda: self.take(node, PinChanged(button, is_down=False)))

    # -- what a node orders

    def _carry_out(self, node: int, effect: Effect) -> None:
        match effect:
            case StoreFrame(draft=draft, content=content, at_s=at_s):
                self.counters[node] += 1
                frame = frame_of(content, NodeId(node), self.counters[node], at_s)
                stored = FrameStored(draft, SignedFrame(frame, encode(frame, key_of(node))))
                self.later(3, lambda: self.take(node, stored))
            case TransmitOver():
                self.overs.append((self.now_ms, node, effect))
                self.later(self.chance.randint(*READY_MS), lambda: self._key(node, effect))
            case RelayFrame():
                self.later(20, lambda: self._central_hears(node, effect.id))
            case ReportFact():
                self.facts.append((self.now_ms, node, effect))
                if effect.fact == "receipt" and effect.alert is not None:
                    self.receipts[effect.alert] = self.now_ms
            case _:
                pass

    def _central_hears(self, relay: int, frame: FrameId) -> None:
        self.committed.setdefault(frame, self.now_ms)
        times, next_ms = self.answers.get(frame, (0, 0))
        if self.now_ms < next_ms:
            return
        self.answers[frame] = (times + 1, self.now_ms + 2_000 * 2**times)
        own = Receipted(frame)
        recent = [told for at_ms, told in self.recent if told != own and self.now_ms - at_ms <= 10_000]
        self.recent = [(self.now_ms, own), *self.recent][:32]
        self.central_counter += 1
        batch = ReceiptBatch(CENTRAL, self.central_counter, 0, ReceiptBatch.fitting([own, *recent]))
        data = encode(batch, key_of(CENTRAL))
        self.later(30, lambda: self.take(relay, AirAsked(data)))

    # -- the air

    def _key(self, node: int, over: TransmitOver) -> None:
        carrier = Carrier(node, self.now_ms)
        at_ms = self.now_ms + KEY_UP_MS
        for data in over.bursts:
            length_ms = burst_ms(over.mode, len(data))
            burst = (at_ms, at_ms + length_ms, data)
            carrier.bursts.append(burst)
            self.later(at_ms + length_ms - self.now_ms, partial(self._burst, carrier, burst, over.mode))
            at_ms += length_ms + BURST_GAP_MS
        ends_ms = at_ms - BURST_GAP_MS + (SPEECH_GAP_MS + SPEECH_MS if over.phrase else 0)
        self.carriers = [c for c in self.carriers if c.ends_ms > self.now_ms - 10_000]
        self.carriers.append(carrier)
        self.keyed[node] = carrier
        self.later(BLIND_MS, self._sense)
        self.later(ends_ms - self.now_ms, lambda: self._unkey(node, over))
        self.take(node, OverStarted(over.over))

    def _unkey(self, node: int, over: TransmitOver) -> None:
        carrier = self.keyed.pop(node)
        carrier.ends_ms = self.now_ms
        self.airtime_ms += self.now_ms - carrier.starts_ms
        self.deaf_until[node] = self.now_ms
        self.later(CLEAR_MS, self._sense)
        self.later(BLIND_MS, self._sense)
        self.take(node, OverEnded(over.over, self.now_ms - carrier.starts_ms))

    def _burst(self, carrier: Carrier, burst: tuple[int, int, bytes], mode: Mode) -> None:
        from_ms, until_ms, data = burst
        rivals = [c for c in self.carriers if c is not carrier and c.starts_ms < until_ms and c.ends_ms > from_ms]
        if rivals:
            return
        for node in self.nodes:
            if node != carrier.node and self.chance.random() >= self.loss[mode]:
                self.take(node, FrameReceived(data, None, Path.RADIO))

    def _sense(self) -> None:
        for node in self.nodes:
            if node in self.keyed:
                continue
            since = [
                max(c.starts_ms, self.deaf_until[node])
                for c in self.carriers
                if c.node != node and c.ends_ms > self.now_ms - CLEAR_MS
            ]
            held = BLIND_MS if not self.busy[node] else 0
            is_busy = any(self.now_ms - start >= held for start in since)
            if is_busy is not self.busy[node]:
                self.busy[node] = is_busy
                self.take(node, ChannelChanged(is_busy))

    # -- what came of it

    def alerts(self) -> set[FrameId]:
        return {FrameId(NodeId(n), c) for n, last in self.counters.items() for c in range(1, last + 1)}

    def is_all_received(self) -> bool:
        return len(self.committed) >= len(self.alerts()) > 0 and set(self.receipts) >= self.alerts()
