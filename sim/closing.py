"""The last act of a town with radios: the network is gone for good, everything else works, and people press again.

What must then come true over the air within a bounded time is judged before the network comes back (I15, I16).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sim.broken import BrokenInvariantError
from sim.faults import heal
from sim.people import GESTURE_ROOM_MS, Gesture, make_gesture
from sim.town import Town
from wire.ids import NodeId

CLOSING_MS: Final = 420_000
"""Three tries with growing waits, and two of the slow ones after them."""
SHORT_MS: Final = 60_000
LOOK_EVERY_MS: Final = 10_000
PRESSED_WITHIN_MS: Final = 30_000
BETWEEN_MS: Final = 1_000


class Closing(StrEnum):
    """What is left."""

    ONE_CUT = "one-cut"
    """One premises has no network; everybody else has."""
    TOWN_CUT = "town-cut"
    """No premises has a network; central's gateway has."""
    GATEWAY_DEAD = "gateway-dead"
    """One premises has a network, and there is no gateway."""
    CENTRAL_GONE = "central-gone"
    """Neither broker nor central."""


def close(town: Town, revoked: frozenset[NodeId]) -> None:
    """Play it, and judge."""
    timeline, chance = town.timeline, town.timeline.chance
    heal(town)
    closing = chance.choice(tuple(Closing))
    timeline.note("world", f"closes with {closing}")
    _take_away(town, closing)
    timeline.run_until(timeline.now_ms + BETWEEN_MS, town.watch.after_each)
    began_ms = timeline.now_ms
    are_at_once = chance.random() < 0.3  # noqa: PLR2004 - one town in three
    for node in town.nodes:
        if are_at_once or chance.random() < 0.6:  # noqa: PLR2004 - more than half
            gesture = chance.choice((Gesture.TAP_ASSIST, Gesture.HOLD_ATTACK, Gesture.CHORD))
            gesture = Gesture.HOLD_ATTACK if are_at_once else gesture
            at_ms = 0 if are_at_once else chance.randint(0, PRESSED_WITHIN_MS - GESTURE_ROOM_MS)
            timeline.after(at_ms, lambda node=node, gesture=gesture: make_gesture(town, node, gesture))  # type: ignore[misc]
    is_short = chance.random() < 0.7  # noqa: PLR2004 - the rest see what comes of what is tried for ever
    timeline.run_until(began_ms + SHORT_MS, town.watch.after_each)
    while timeline.now_ms < began_ms + CLOSING_MS and not (
        is_short and _is_true_by_now(town, closing, began_ms, revoked)
    ):
        timeline.run_until(timeline.now_ms + LOOK_EVERY_MS, town.watch.after_each)
    _judge(town, closing, began_ms, revoked)
    town.central.start()
    if town.gateway is not None:
        town.gateway.start()


def _judge(town: Town, closing: Closing, began_ms: int, revoked: frozenset[NodeId]) -> None:
    if closing is Closing.CENTRAL_GONE:
        town.watch.judge_neighbours(began_ms, revoked)
    else:
        town.watch.judge_chains(revoked)


def _is_true_by_now(town: Town, closing: Closing, began_ms: int, revoked: frozenset[NodeId]) -> bool:
    try:
        _judge(town, closing, began_ms, revoked)
    except BrokenInvariantError:
        return False
    return True


def _take_away(town: Town, closing: Closing) -> None:
    assert town.gateway is not None
    relay = None
    match closing:
        case Closing.ONE_CUT:
            town.broker.cut(town.timeline.chance.choice(town.nodes).id)
            return
        case Closing.CENTRAL_GONE:
            town.central.crash(down_ms=CLOSING_MS + 2 * BETWEEN_MS)
            town.broker.kill(keeps_queues=False)
            return
        case Closing.GATEWAY_DEAD:
            town.gateway.crash(is_power_cut=False, down_ms=CLOSING_MS + 2 * BETWEEN_MS)
            relay = town.timeline.chance.choice(town.nodes)
        case Closing.TOWN_CUT:
            pass
    for node in town.nodes:
        if node is not relay:
            town.broker.cut(node.id)
