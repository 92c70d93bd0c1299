"""The last act of a town with radios: the network goes, wholly or in part, and people press again.

What must then come true over the air within a bounded time is judged before the network comes back (I15, I16).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final

from sim.broken import BrokenInvariantError
from sim.faults import heal
from sim.node_actor import SimNode
from sim.people import GESTURE_ROOM_MS, Gesture, make_gesture
from sim.town import Town
from wire.ids import NodeId

CLOSING_MS: Final = 420_000
"""Three tries with growing waits, and two slow ones after them."""
SHORT_MS: Final = 60_000
LOOK_EVERY_MS: Final = 10_000
PRESSED_WITHIN_MS: Final = 30_000
BETWEEN_MS: Final = 1_000
UNHEARD_PRESSES: Final = 4
UNHEARD_APART_MS: Final = 20_000


class Closing(StrEnum):
    """How the town ends."""

    ONE_CUT = "one-cut"
    """One premises has no network; all others have."""
    TOWN_CUT = "town-cut"
    """No premises has a network; central's gateway has."""
    GATEWAY_DEAD = "gateway-dead"
    """One premises has a network, and there is no gateway."""
    CENTRAL_GONE = "central-gone"
    """No broker and no central."""
    UNHEARD = "unheard"
    """One premises has no network and nobody hears it: it keeps trying to the end, within its duty cycle."""


@dataclass(slots=True)
class _Act:
    """The act and what is expected of it.

    Attributes:
        can_answer: the relay may also transmit, so pressers must learn that their alerts arrived.
        pressers: they press again and again; none = some of all, once each.
    """

    town: Town
    closing: Closing
    revoked: frozenset[NodeId]
    began_ms: int = 0
    can_answer: bool = True
    pressers: list[SimNode] = field(default_factory=list)

    def take_away(self) -> None:
        """Take the network away, as far as this ending goes."""
        town, relay = self.town, None
        assert town.gateway is not None
        match self.closing:
            case Closing.ONE_CUT:
                town.broker.cut(town.timeline.chance.choice(town.nodes).id)
                return
            case Closing.UNHEARD:
                assert town.air is not None
                lone = town.timeline.chance.choice([node for node in town.nodes if _may_transmit(node)])
                town.broker.cut(lone.id)
                for other in town.stations:
                    town.air.block(lone.name, other.name)
                self.pressers = [lone]
                return
            case Closing.CENTRAL_GONE:
                town.central.crash(down_ms=CLOSING_MS + 2 * BETWEEN_MS)
                town.broker.kill(keeps_queues=False)
                return
            case Closing.GATEWAY_DEAD:
                town.gateway.crash(is_power_cut=False, down_ms=CLOSING_MS + 2 * BETWEEN_MS)
                relay = town.timeline.chance.choice([node for node in town.nodes if node.id not in self.revoked])
                self.can_answer = _may_transmit(relay)
            case Closing.TOWN_CUT:
                pass
        for node in town.nodes:
            if node is not relay:
                town.broker.cut(node.id)

    def press(self) -> None:
        """Some press within half a minute, or all at once; or the ``pressers`` again and again."""
        timeline, chance = self.town.timeline, self.town.timeline.chance
        for node in self.pressers:
            for at in range(UNHEARD_PRESSES):
                press = partial(make_gesture, self.town, node, Gesture.TAP_ASSIST)
                timeline.after(at * UNHEARD_APART_MS, press)
        if self.pressers:
            return
        are_at_once = chance.random() < 0.3  # noqa: PLR2004 - one town in three
        for node in self.town.nodes:
            if are_at_once or chance.random() < 0.6:  # noqa: PLR2004 - more than half
                gesture = chance.choice((Gesture.TAP_ASSIST, Gesture.HOLD_ATTACK, Gesture.CHORD))
                gesture = Gesture.HOLD_ATTACK if are_at_once else gesture
                at_ms = 0 if are_at_once else chance.randint(0, PRESSED_WITHIN_MS - GESTURE_ROOM_MS)
                timeline.after(at_ms, lambda node=node, gesture=gesture: make_gesture(self.town, node, gesture))  # type: ignore[misc]

    def judge(self) -> None:
        """Judge what has had time to come true."""
        if self.closing is Closing.UNHEARD:
            return  # Nothing can come true; the duty cycle is judged at each transmission (I12).
        if self.closing is Closing.CENTRAL_GONE:
            self.town.invariants.judge_neighbours(self.began_ms, self.revoked)
        else:
            self.town.invariants.judge_chains(self.revoked, can_answer=self.can_answer)

    def is_true_by_now(self) -> bool:
        """Whether more waiting would change nothing."""
        try:
            self.judge()
        except BrokenInvariantError:
            return False
        return True


def close(town: Town, closing: Closing, revoked: frozenset[NodeId]) -> None:
    """Play the ending, and judge it."""
    timeline, chance, look = town.timeline, town.timeline.chance, town.invariants.after_each
    heal(town)
    act = _Act(town, closing, revoked)
    timeline.note("world", f"closes with {act.closing}")
    act.take_away()
    timeline.run_until(timeline.now_ms + BETWEEN_MS, look)
    act.began_ms = timeline.now_ms
    act.press()
    is_short = act.closing is not Closing.UNHEARD and chance.random() < 0.7  # noqa: PLR2004 - the rest show endless retrying
    timeline.run_until(act.began_ms + SHORT_MS, look)
    while timeline.now_ms < act.began_ms + CLOSING_MS and not (is_short and act.is_true_by_now()):
        timeline.run_until(timeline.now_ms + LOOK_EVERY_MS, look)
    act.judge()
    town.central.start()
    if town.gateway is not None:
        town.gateway.start()


def _may_transmit(node: SimNode) -> bool:
    return node.settings.radio is not None and bool(node.settings.radio.licence)
