"""The last act of a town without radios: an assist becomes an attack, and a member cannot have heard of it in time.

First someone answers the assist, and the shop presses again: the desk must hear of it (I29). The member is down when
the attack is pressed, and the broker loses what it has queued. Only central's answer to the member's sync after its
start can tell it (I21).
"""

from __future__ import annotations

from typing import Final

from central.core.view import Acknowledge, Close
from sim.faults import heal
from sim.node_actor import SimNode
from sim.people import GESTURE_ROOM_MS, STAFF, Gesture, make_gesture
from sim.town import Town

HEALED_MS: Final = 150_000
CLOSED_MS: Final = 4_000
ASSIST_SHOWN_MS: Final = 12_000
ANSWERED_MS: Final = 8_000
QUEUES_LOST_MS: Final = 6_000
BROKER_DOWN_MS: Final = 1_000
MEMBER_DOWN_MS: Final = 25_000


def miss_an_upgrade(town: Town) -> None:
    """Play it; the outcome is judged with everything else at the end."""
    timeline, invariants = town.timeline, town.invariants
    presser, member = timeline.chance.sample(town.nodes, 2)
    heal(town)
    timeline.run_until(timeline.now_ms + HEALED_MS, invariants.after_each)
    for card in [card for _, card in sorted(town.central.cards.items()) if card.state != "closed"]:
        town.central.act(Close(card.incident, "Dealt with"), STAFF[0])
    timeline.run_until(timeline.now_ms + CLOSED_MS, invariants.after_each)
    make_gesture(town, presser, Gesture.TAP_ASSIST)
    timeline.run_until(timeline.now_ms + ASSIST_SHOWN_MS, invariants.after_each)
    _answer_and_press_again(town, presser)
    member.crash(is_power_cut=False, down_ms=MEMBER_DOWN_MS)
    make_gesture(town, presser, Gesture.HOLD_ATTACK)
    timeline.run_until(timeline.now_ms + QUEUES_LOST_MS, invariants.after_each)
    town.broker.kill(keeps_queues=False)
    timeline.run_until(timeline.now_ms + BROKER_DOWN_MS, invariants.after_each)


def _answer_and_press_again(town: Town, presser: SimNode) -> None:
    timeline, invariants = town.timeline, town.invariants
    for card in [card for _, card in sorted(town.central.cards.items()) if card.state == "unanswered"]:
        town.central.act(Acknowledge(card.incident), STAFF[0])
    timeline.run_until(timeline.now_ms + ANSWERED_MS, invariants.after_each)
    make_gesture(town, presser, Gesture.TAP_ASSIST)
    timeline.run_until(timeline.now_ms + GESTURE_ROOM_MS, invariants.after_each)
