"""One run from a seed, and many runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.faults import heal, random_fault
from sim.people import GESTURE_ROOM_MS, Gesture, act_at_central, make_gesture
from sim.plants import Plant
from sim.town import Town
from sim.watch import BrokenInvariantError
from wire.ids import NodeId

QUIET_START_MS: Final = 15_000
SETTLE_MS: Final = 200_000
"""Longer than the longest pause between two tries of a node, restarts and reconnects included."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run.

    Attributes:
        trace_hash: the same for the same seed, always.
        broken: the invariant that broke and how, or empty.
        trace_tail: the last steps, if one broke.
    """

    seed: int
    trace_hash: str
    broken: str
    trace_tail: tuple[str, ...]
    steps: int
    alerts: int
    shown: int
    late: int
    virtual_ms: int


def run(seed: int, *, node_count: int = 5, plant: Plant | None = None) -> Result:
    """Play one town: presses, answers and faults drawn from ``seed``, then everything heals, then the reckoning."""
    town = Town(seed, node_count, plant)
    timeline = town.timeline
    chance = timeline.chance
    revoked: set[NodeId] = set()
    broken = ""
    try:
        town.start()
        timeline.run_until(QUIET_START_MS, town.watch.after_each)
        busy_until_ms = QUIET_START_MS + chance.randint(60_000, 240_000)
        _plan(town, busy_until_ms, revoked)
        timeline.run_until(busy_until_ms, town.watch.after_each)
        heal(town)
        timeline.run_until(busy_until_ms + SETTLE_MS, town.watch.after_each)
        town.watch.judge_presses()
        town.watch.judge_delivery(frozenset(revoked))
    except BrokenInvariantError as e:
        broken = str(e)
    except Exception as e:  # noqa: BLE001 - a core that raises is a finding like any other: it wants its seed and trace
        broken = f"raised {type(e).__name__}: {e}"
    return Result(
        seed=seed,
        trace_hash=timeline.trace_hash,
        broken=broken,
        trace_tail=timeline.trace_tail if broken else (),
        steps=timeline.steps,
        alerts=len(town.watch.truth),
        shown=town.watch.shown,
        late=town.watch.late,
        virtual_ms=timeline.now_ms,
    )


def _plan(town: Town, until_ms: int, revoked: set[NodeId]) -> None:
    timeline = town.timeline
    chance = timeline.chance
    span_ms = until_ms - timeline.now_ms
    for node in town.nodes:
        moments = sorted(chance.randint(0, span_ms - GESTURE_ROOM_MS) for _ in range(chance.randint(0, 6)))
        last_ms = -GESTURE_ROOM_MS
        for moment_ms in moments:
            if moment_ms - last_ms >= GESTURE_ROOM_MS:
                last_ms = moment_ms
                gesture = chance.choice(tuple(Gesture))
                timeline.after(moment_ms, lambda node=node, gesture=gesture: make_gesture(town, node, gesture))  # type: ignore[misc]
    for _ in range(chance.randint(0, 12)):
        timeline.after(chance.randint(0, span_ms), lambda: act_at_central(town))
    for _ in range(chance.randint(0, 10)):
        timeline.after(chance.randint(0, span_ms), lambda: random_fault(town))
    if chance.random() < 0.1:  # noqa: PLR2004 - one town in ten loses a node to a thief
        thief = chance.choice(town.nodes).id

        def revoke() -> None:
            revoked.add(thief)
            town.revoke(thief)

        timeline.after(chance.randint(0, span_ms), revoke)
