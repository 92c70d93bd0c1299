"""The invariants of the air, checked before each order is carried out and after each transmission.

| id | what must hold |
|---|---|
| I11 (N8) | no over is ordered when its node knows the receipt of all that it carries |
| I12 (N10) | no over is ordered that the duty cycle, counting everything before it, does not allow for its content |
| I13 (N10) | no over is longer than 30 s or empty, and none is ordered while another is out |
| I14 (N10) | nothing is transmitted without a licence |
| I15 (N8, N9) | while a chain node → relay → central holds long enough, alerts reach it, and their pressers know |
| I16 (N9) | with central gone, neighbours in range are shown what is pressed |
| I17 (N9) | nothing goes on the air, or is relayed, that no sender in good standing has said |
| I18 (N9, N10) | what a node says for others is bounded: answers and relays of one frame, whatever is replayed |
| I19 (N3) | the idle screen says that alerts go by radio only if the last path test came back over the air |
| I20 (N4) | a silent attack's over says nothing aloud but the scheme's neutral words |
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NoReturn

from node.core import effects as do
from node.core import events as ev
from node.core.air import BURSTS_PER_OVER_MAX, OVER_MS_MAX, Mode, Phrase
from node.core.controls import Part
from node.core.radio.answer_queue import targets_of
from node.core.screens import Screen
from sim.air import Carrier, over_ms
from sim.broken import BrokenInvariantError
from sim.timeline import Timeline
from sim.truth import Truth
from sim.watched import WatchedNode
from wire.errors import DecodeError
from wire.frames import Alert, PathTest, decode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import MEMBERS_WARNED, AlertKind

WINDOW_MS: Final = 600_000
"""Of the duty cycle."""
COUNTED_MS: Final = WINDOW_MS - 30_000
"""The part that every node certainly counts: the rules count in slices of half a minute."""
OWN_MS_MAX: Final = WINDOW_MS * 20 // 100
"""Own frames, except attacks and the first tries of other alerts."""
ASKED_MS_MAX: Final = WINDOW_MS * 30 // 100
"""Transmissions that central asks for."""
ALL_MS_MAX: Final = WINDOW_MS * 40 // 100
"""Everything except the first tries of an attack."""
FIRST_TRIES: Final = 3
SAME_FRAME_MAX: Final = 2
"""Times that a node may transmit one frame of another sender: an acknowledgement is sent twice."""
RELAYS_MAX: Final = 8
"""Times that a node may relay one frame within ten minutes."""
ANSWERS_WINDOW_MS: Final = 60_000
ANSWERS_MAX: Final = 45
"""Receipts that central asks for on the air within a minute, besides one for each frame new to it."""
SCREEN_SLACK_MS: Final = 1_500
"""Delay from a fact to the panel."""
BY_RADIO: Final = "by radio"
PROMISE: Final = "go by radio"


class _Cause(StrEnum):
    """Why a node transmits."""

    ATTACK = "attack"
    """One of the first tries of an attack."""
    CENTRAL = "central"
    """Central asked for it."""
    OWN = "own"
    URGENT = "urgent"
    """A later try of an attack, or one of the first of another alert."""


_MS_MAX: Final = {_Cause.OWN: OWN_MS_MAX, _Cause.CENTRAL: ASKED_MS_MAX, _Cause.URGENT: ALL_MS_MAX}


@dataclass(slots=True)
class _Station:
    """What is known of one node's transmissions.

    Attributes:
        receipted: its own frames that it knows to be at central.
        said: how often it transmitted each frame of others.
        relayed: when it relayed each frame.
        keyed: start and end of its transmissions in the rolling window. ``is_use_unkept``: the disk refused the latest.
        tries: whole overs that carried each of its alerts, since its last press.
        carries: its own frames in the over that is out; ``is_cut``: it was ordered to stop that over.
        tested_ms: when a receipt for a path test of this run was last on the air where it could hear it.
    """

    receipted: set[FrameId] = field(default_factory=set)
    said: Counter[bytes] = field(default_factory=Counter)
    relayed: dict[bytes, deque[int]] = field(default_factory=dict)
    keyed: deque[tuple[int, int]] = field(default_factory=deque)
    is_use_unkept: bool = False
    tries: Counter[FrameId] = field(default_factory=Counter)
    over: int | None = None
    carries: list[FrameId] = field(default_factory=list)
    is_cut: bool = False
    tested_ms: int | None = None
    broken_ms: int | None = None


class AirInvariants:
    """Sees every order to transmit."""

    def __init__(self, timeline: Timeline, truth: dict[FrameId, Truth]) -> None:
        self._timeline = timeline
        self._truth = truth
        self._stations: dict[NodeId, _Station] = {}
        self._relayed_ms: dict[bytes, int] = {}
        self._answers: deque[int] = deque()
        self.central_said: set[bytes] = set()
        """Every frame that central signed."""
        self.stolen: dict[FrameId, bytes] = {}
        """What thieves signed with the keys of revoked nodes."""

    def node_orders(self, node: WatchedNode, effect: do.Effect) -> None:
        """A node is about to carry this out."""
        station = self._station(node.id)
        match effect:
            case do.TransmitOver():
                self._judge_over(node, station, effect)
            case do.RelayFrame():
                self._judge_relay(node, station, effect)
            case do.StopOver():
                station.is_cut = True
            case do.KeepAirtime():
                station.is_use_unkept = node.disk.is_refusing
            case do.MarkReceipted():
                station.receipted.add(effect.id)
            case _:
                pass

    def node_died(self, node: WatchedNode) -> None:
        """Its program is gone, with all that was not on disk; its use of the channel is kept if the disk has it."""
        receipted = {FrameId(node.id, counter) for counter, row in node.disk.rows.items() if row.is_receipted}
        before = self._station(node.id)
        keyed = deque[tuple[int, int]]() if before.is_use_unkept else before.keyed
        self._stations[node.id] = _Station(receipted, before.said, keyed=keyed)

    def pressed(self, node: NodeId) -> None:
        """A press is on disk: the tries of its alerts start again."""
        self._station(node).tries.clear()

    def radio_tells(self, node: WatchedNode, event: ev.Event) -> None:
        """A node's radio is about to report to its core."""
        station = self._station(node.id)
        match event:
            case ev.OverEnded() if event.over == station.over:
                station.over = None
                if not station.is_cut:
                    station.tries.update(station.carries)
            case ev.OverEnded() | ev.OverFailed():
                station.over = None
            case ev.FrameReceived() if event.data in self.central_said:
                for target in _targets(event.data):
                    test = self._truth.get(target)
                    if target.node == node.id and test is not None and isinstance(test.signed.frame, PathTest):
                        station.tested_ms = self._timeline.now_ms
            case ev.PartFailed(part=Part.RADIO):
                station.broken_ms, station.tested_ms = self._timeline.now_ms, None
                station.tries.clear()
            case ev.PartRecovered(part=Part.RADIO):
                station.broken_ms = None
            case _:
                pass

    def transmitted(self, node: WatchedNode, carrier: Carrier) -> None:
        """A node's transmission has ended."""
        station = self._station(node.id)
        length_ms = carrier.ends_ms - carrier.starts_ms
        if length_ms > OVER_MS_MAX:
            self._broken("I13", f"{node.name} was keyed for {length_ms} ms")
        station.keyed.append((carrier.starts_ms, carrier.ends_ms))

    def judge_chains(
        self, can_say: frozenset[NodeId], committed: Container[FrameId], *, can_answer: bool = True
    ) -> None:
        """A relay has heard everyone for long enough: every alert of those that may transmit is at central.

        If the relay may transmit (``can_answer``), their pressers know.
        """
        for frame_id, truth in self._truth.items():
            if not isinstance(truth.signed.frame, Alert) or frame_id.node not in can_say:
                continue
            waited_ms = self._timeline.now_ms - truth.stored_ms
            if frame_id not in committed:
                self._broken("I15", f"{frame_id.text} did not reach central by air in {waited_ms} ms")
            if can_answer and frame_id not in self._station(frame_id.node).receipted:
                self._broken(
                    "I15", f"the presser of {frame_id.text} does not know after {waited_ms} ms that it arrived"
                )

    def judge_neighbours(
        self, since_ms: int, can_say: frozenset[NodeId], listeners: dict[NodeId, frozenset[int]]
    ) -> None:
        """Nobody has a network: what was pressed since then has been on the panels of members of its schemes.

        An alert of an incident that was shown there before says nothing new; a later one may take its place.
        """
        shown = {
            (truth.signed.frame.incident_id, node)
            for truth in self._truth.values()
            for node in truth.shown_at
            if isinstance(truth.signed.frame, Alert)
        }
        for frame_id, truth in self._truth.items():
            frame = truth.signed.frame
            if (
                truth.stored_ms < since_ms
                or not isinstance(frame, Alert)
                or frame.kind not in MEMBERS_WARNED
                or frame.sender not in can_say
            ):
                continue
            for node, schemes in listeners.items():
                if node != frame.sender and schemes & set(frame.schemes) and (frame.incident_id, node) not in shown:
                    self._broken("I16", f"{frame_id.text} was never shown at {node:08x}")

    def _judge_over(self, node: WatchedNode, station: _Station, effect: do.TransmitOver) -> None:
        radio = node.settings.radio
        if radio is None or not radio.licence:
            self._broken("I14", f"{node.name} has no licence, and orders an over")
        if station.over is not None:
            self._broken("I13", f"{node.name} orders over {effect.over} while {station.over} is out")
        station.over, station.is_cut = effect.over, False
        planned_ms = over_ms(map(len, effect.bursts), effect.mode, is_spoken=effect.phrase is not None)
        if not 1 <= len(effect.bursts) <= BURSTS_PER_OVER_MAX or planned_ms > OVER_MS_MAX:
            self._broken("I13", f"{node.name} orders an over of {len(effect.bursts)} bursts and {planned_ms} ms")
        own: list[FrameId] = []
        for data in effect.bursts:
            frame_id = self._judge_said(node, data)
            if frame_id.node == node.id:
                own.append(frame_id)
                self._judge_spoken(node, data, effect.phrase)
                continue
            station.said[data] += 1
            if station.said[data] > SAME_FRAME_MAX:
                self._broken("I18", f"{node.name} says {frame_id.text} for the {station.said[data]}th time")
        if len(own) == len(effect.bursts) and station.receipted.issuperset(own):
            self._broken("I11", f"{node.name} transmits {own[0].text}, whose receipt it has")
        self._judge_duty(node, station, self._cause(station, own), min(map(len, effect.bursts)))
        station.carries = own

    def _judge_duty(self, node: WatchedNode, station: _Station, cause: _Cause, burst_bytes: int) -> None:
        """Judge by what the rules look at: everything before, and one burst of the over, without its sentence."""
        from_ms = self._timeline.now_ms - COUNTED_MS
        while station.keyed and station.keyed[0][1] <= from_ms:
            station.keyed.popleft()
        used_ms = sum(until_ms - max(start_ms, from_ms) for start_ms, until_ms in station.keyed)
        used_ms += over_ms((burst_bytes,), Mode.IL2P_1200, is_spoken=False)
        if used_ms > _MS_MAX.get(cause, used_ms):
            self._broken("I12", f"{node.name} orders an over ({cause}) with {used_ms} ms within {COUNTED_MS} ms")

    def _cause(self, station: _Station, own: list[FrameId]) -> _Cause:
        cause = _Cause.OWN if own else _Cause.CENTRAL
        for frame_id in own:
            frame = self._truth[frame_id].signed.frame
            if isinstance(frame, Alert):
                is_attack, is_first = frame.kind is AlertKind.ATTACK, station.tries[frame_id] < FIRST_TRIES
                if is_attack and is_first:
                    cause = _Cause.ATTACK
                elif (is_attack or is_first) and cause is not _Cause.ATTACK:
                    cause = _Cause.URGENT
        return cause

    def _judge_said(self, node: WatchedNode, data: bytes) -> FrameId:
        """Its sender must have said exactly that, and be in good standing as far as the node knows."""
        try:
            frame = decode(data).frame
        except DecodeError as e:
            self._broken("I17", f"{node.name} puts on the air what is no frame: {e.reason}")
        if frame.sender == CENTRAL:
            if data not in self.central_said:
                self._broken("I17", f"{node.name} says in central's name what central never said")
            return frame.id
        if self.stolen.get(frame.id) == data and self.is_thief_unknown_to(node, frame.id):
            return frame.id
        truth = self._truth.get(frame.id)
        if truth is None or truth.signed.data != data:
            self._broken("I17", f"{node.name} passes on {frame.id.text}, which nobody stored")
        sender = node.state.directory.senders.get(frame.sender) if node.state is not None else None
        if frame.sender != node.id and (sender is None or sender.is_revoked):
            self._broken("I17", f"{node.name} passes on {frame.id.text} of a sender without standing")
        return frame.id

    def _judge_relay(self, node: WatchedNode, station: _Station, effect: do.RelayFrame) -> None:
        frame_id = self._judge_said(node, effect.data)
        if frame_id.node in (node.id, CENTRAL):
            self._broken("I17", f"{node.name} relays {frame_id.text}, which is not another member's")
        now_ms = self._timeline.now_ms
        self._relayed_ms.setdefault(effect.data, now_ms)
        times = station.relayed.setdefault(effect.data, deque())
        times.append(now_ms)
        while times[0] <= now_ms - WINDOW_MS:
            times.popleft()
        if len(times) > RELAYS_MAX:
            self._broken("I18", f"{node.name} relays {frame_id.text} for the {len(times)}th time")

    def _judge_spoken(self, node: WatchedNode, data: bytes, phrase: Phrase | None) -> None:
        frame = decode(data).frame
        if not isinstance(frame, Alert) or not frame.silent or phrase is None:
            return
        radio = node.settings.radio
        if phrase is not Phrase.NEUTRAL or radio is None or not radio.has_neutral_phrase:
            self._broken("I20", f"{node.name} speaks {phrase} with the silent {frame.id.text}")

    def on_panel(self, node: WatchedNode, screen: Screen) -> None:
        """A node's panel now shows this."""
        if not any(BY_RADIO in line.lower() for line in screen.lines):
            return
        station = self._station(node.id)
        radio, now_ms = node.settings.radio, self._timeline.now_ms
        if radio is None or not radio.licence:
            self._broken("I19", f"{node.name} says {screen.lines} and may not transmit")
        if any(t.signed.frame.sender == node.id and _is_silent(t) for t in self._truth.values()):
            return  # The idle face must not give the press away by changing (N4).
        if station.broken_ms is not None and now_ms - station.broken_ms > SCREEN_SLACK_MS:
            self._broken("I19", f"{node.name} says {screen.lines} with a radio that is broken")
        if any(PROMISE in line for line in screen.lines) and station.tested_ms is None and station.broken_ms is None:
            self._broken("I19", f"{node.name} says {screen.lines}, and no path test came back")

    def answered(self) -> None:
        """Central asks for receipts on the air."""
        now_ms = self._timeline.now_ms
        self._answers.append(now_ms)
        while self._answers[0] <= now_ms - ANSWERS_WINDOW_MS:
            self._answers.popleft()
        fresh = sum(relayed_ms > now_ms - ANSWERS_WINDOW_MS for relayed_ms in self._relayed_ms.values())
        if len(self._answers) > fresh + ANSWERS_MAX:
            self._broken("I18", f"central answered {len(self._answers)} times in a minute, {fresh} frames were new")

    def is_thief_unknown_to(self, node: WatchedNode, frame_id: FrameId) -> bool:
        """Whether it is signed with a stolen key whose revocation this node has not heard of."""
        if frame_id not in self.stolen or node.state is None:
            return False
        sender = node.state.directory.senders.get(frame_id.node)
        return sender is not None and not sender.is_revoked

    def _station(self, node: NodeId) -> _Station:
        return self._stations.setdefault(node, _Station())

    def _broken(self, invariant: str, what: str) -> NoReturn:
        raise BrokenInvariantError(f"{invariant}: {what} (at {self._timeline.now_ms} ms)")


def _targets(data: bytes) -> tuple[FrameId, ...]:
    return targets_of(decode(data).frame)


def _is_silent(truth: Truth) -> bool:
    return isinstance(truth.signed.frame, Alert) and truth.signed.frame.silent
