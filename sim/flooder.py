"""A flooding member: the holder of a stolen unit sends all that its key and certificate allow.

Its last act, in place of the missed upgrade: everything works, it does its worst, and everyone else presses once. When
all is judged, it presses once more for an attack that was answered, behind an assist that was not: the desk must hear
of it (I29).

| id | what must hold |
|---|---|
| I30 (N3, N8) | while one member floods, each other member's press has its receipt within two seconds |

That no flood pushes an honest alert off a neighbour's list is I21.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Final

from central.core.groups import CARDS_EACH_MAX
from central.core.view import Acknowledge, Close
from sim.broken import BrokenInvariantError
from sim.broker import Message
from sim.faults import heal
from sim.invariants import FLOODER
from sim.node_actor import EPOCH_S
from sim.people import STAFF, Gesture, make_gesture
from sim.town import SCHEMES, Town
from wire.frames import Alert, encode
from wire.ids import NodeId
from wire.kinds import AlertKind
from wire.messages import Health, Sync, encode_message
from wire.messages import Message as Json
from wire.signing import sign_message
from wire.topics import FrameTopic, Up, UpTopic

FLOODS: Final = 3
"""At most, in a town's busy time."""
BURSTS: Final = 20
BURST: Final = 30
BURST_EVERY_MS: Final = 250
"""So a flood lasts five seconds, and brings twelve seconds of work."""
ATTACKS_MAX: Final = 150
"""Per flood, more than twice a neighbour's list; then junk. Each attack is shown everywhere."""
FRAME_BYTES: Final = 89
HEALED_MS: Final = 150_000
CLOSED_MS: Final = 4_000
ALL_CLOSED_MS: Final = 30_000
DONE_MS: Final = 3_000
PRESSED_WITHIN_MS: Final = 3_000
RECEIPT_WITHIN_MS: Final = 2_000
"""As long as a node waits before it uses the radio."""


class Worst(StrEnum):
    """What it sends."""

    ATTACKS = "attacks"
    JUNK = "junk"
    HEALTH = "health"
    SYNCS = "syncs"
    HEARD = "heard"


class Flooder:
    """Floods in bursts, now and then."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._said = 0
        self._attacks_left = 0
        self._scheme = SCHEMES[0]

    def flood(self, *kinds: Worst) -> None:
        """Begin a flood of these kinds and a random one."""
        timeline = self._town.timeline
        kinds = (*kinds, timeline.chance.choice(tuple(Worst)))
        self._scheme, self._attacks_left = timeline.chance.choice(SCHEMES), ATTACKS_MAX
        timeline.note("flooder", f"{' and '.join(kinds)} in {self._scheme.slug}")
        for at in range(BURSTS):
            timeline.after(at * BURST_EVERY_MS, partial(self._burst, kinds))

    def press_amid_flood(self, revoked: frozenset[NodeId]) -> None:
        """Play the last act, and judge it."""
        town, timeline, look = self._town, self._town.timeline, self._town.invariants.after_each
        heal(town)
        timeline.run_until(timeline.now_ms + HEALED_MS, look)
        self._close_all()
        timeline.run_until(timeline.now_ms + CLOSED_MS, look)
        began_ms = timeline.now_ms
        self.flood(Worst.ATTACKS)
        for node in town.nodes:
            gesture = timeline.chance.choice((Gesture.TAP_ASSIST, Gesture.HOLD_ATTACK))
            press = partial(make_gesture, town, node, gesture)
            timeline.after(timeline.chance.randint(0, PRESSED_WITHIN_MS), press)
        timeline.run_until(began_ms + 2 * BURSTS * BURST_EVERY_MS, look)
        self._judge(began_ms, revoked)

    def press_again_behind_an_assist(self) -> None:
        """One card stands for all: the assist must not hide that the attack was pressed again."""
        central = self._town.central
        self._close_all()
        self._wait(ALL_CLOSED_MS)
        attack = self._press(AlertKind.ATTACK)
        for _ in range(CARDS_EACH_MAX):
            self._press(AlertKind.THEFT)
        self._wait(DONE_MS)
        for card in [card for _, card in sorted(central.cards.items()) if card.state == "unanswered"]:
            central.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through), STAFF[0])
        self._wait(DONE_MS)
        self._press(AlertKind.ASSIST)
        self._wait(DONE_MS)
        self._press(AlertKind.ATTACK, attack)
        self._wait(DONE_MS)

    def _close_all(self) -> None:
        central = self._town.central
        for card in [card for _, card in sorted(central.cards.items()) if card.state != "closed"]:
            central.act(Close(card.incident, "Dealt with", seen_through=card.through), STAFF[0])

    def _wait(self, ms: int) -> None:
        self._town.timeline.run_until(self._town.timeline.now_ms + ms, self._town.invariants.after_each)

    def _press(self, kind: AlertKind, incident: int | None = None) -> int:
        """Send one, of an incident of its own unless this one is given; returns its incident."""
        self._said += 1
        at_s = EPOCH_S + self._town.timeline.now_ms // 1_000
        incident = incident or self._said
        alert = Alert(FLOODER, self._said, at_s, kind, incident, (self._scheme.number,))
        self._town.broker.inject(self._framed(encode(alert, self._town.keys[FLOODER])))
        return incident

    def _judge(self, began_ms: int, revoked: frozenset[NodeId]) -> None:
        invariants = self._town.invariants
        for frame_id, truth in invariants.truth.items():
            is_judged = truth.pressed_ms >= began_ms and isinstance(truth.signed.frame, Alert)
            # What central refused is stored again under an acceptable number; the press keeps its age.
            if not is_judged or frame_id.node in revoked or invariants.memory.is_gone(frame_id):
                continue
            took_ms = invariants.receipted_ms.get(frame_id, self._town.timeline.now_ms) - truth.pressed_ms
            if took_ms > RECEIPT_WITHIN_MS:
                raise BrokenInvariantError(f"I30: while one floods, {frame_id.text} had no receipt for {took_ms} ms")

    def _burst(self, kinds: tuple[Worst, ...]) -> None:
        for _ in range(BURST):
            self._said += 1
            self._town.broker.inject(self._message(self._town.timeline.chance.choice(kinds)))

    def _message(self, kind: Worst) -> Message:
        match kind:
            case Worst.ATTACKS if self._attacks_left:
                self._attacks_left -= 1
                at_s = EPOCH_S + self._town.timeline.now_ms // 1_000
                alert = Alert(FLOODER, self._said, at_s, AlertKind.ATTACK, self._said, (self._scheme.number,))
                return self._framed(encode(alert, self._town.keys[FLOODER]))
            case Worst.ATTACKS | Worst.JUNK:
                return self._framed(self._junk())
            case Worst.HEALTH:
                return self._signed(Up.HEALTH, Health(state="armed", boot_id="flood", uptime_ms=self._said))
            case Worst.SYNCS:
                return self._signed(Up.SYNC, Sync(boot_id="flood", nonce=f"{self._said:032x}"))
            case Worst.HEARD:
                heard = [said.payload for said in self._town.broker.overheard if isinstance(said.topic, FrameTopic)]
                return self._signed(Up.HEARD, self._town.timeline.chance.choice(heard) if heard else self._junk())

    def _junk(self) -> bytes:
        return self._town.timeline.chance.randbytes(FRAME_BYTES)

    def _framed(self, data: bytes) -> Message:
        return Message(FrameTopic(self._scheme.slug, FLOODER), data)

    def _signed(self, channel: Up, said: Json | bytes) -> Message:
        topic = UpTopic(FLOODER, channel)
        payload = said if isinstance(said, bytes) else encode_message(said)
        return Message(topic, payload, sign_message(self._town.keys[FLOODER], str(topic), payload))
