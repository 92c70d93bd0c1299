"""One run from a seed, and what that seed's town has."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from sim.air import Figures
from sim.asked import AskedWorld
from sim.broken import BrokenInvariantError
from sim.central_bugs import Bugs
from sim.closing import Closing, close
from sim.faults import heal, put_back_card, random_fault
from sim.faults_air import join, random_air_fault, speak_as
from sim.faults_liar import lie
from sim.flooder import FLOODS, Flooder
from sim.people import GESTURE_ROOM_MS, Gesture, act_at_central, make_gesture, report
from sim.plants import BUG_PLANTS, FLOOD_PLANTS, RADIO_PLANTS, Plant
from sim.town import RadioPlan, Town
from sim.upgrades import miss_an_upgrade
from wire.ids import NodeId

QUIET_START_MS: Final = 15_000
SETTLE_MS: Final = 200_000
REPORTS_EACH_MAX: Final = 4
"""Less than a node takes from its gallery at once."""
"""Longer than a node's longest pause between two tries, restarts and reconnects included."""


class Result(Struct, frozen=True):
    """The outcome of a run.

    Attributes:
        trace_hash: always the same for the same seed.
        broken: the invariant that broke, and how; or empty.
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
    overs: int = 0
    airtime_ms: int = 0
    heard: int = 0


def has_radio(seed: int) -> bool:
    """Whether this seed's town has radios: every second one."""
    return seed % 2 == 0


def closing_of(seed: int) -> Closing:
    """How this seed's town ends: in turn, so that a few towns with radios cover every ending."""
    return tuple(Closing)[seed // 2 % len(Closing)]


def has_bugs(seed: int) -> bool:
    """Whether central's rules have bugs in this seed's town: every eighth, none of those with radios."""
    return seed % 8 == 5  # noqa: PLR2004 - an odd one


def has_flooder(seed: int) -> bool:
    """Whether a member floods this seed's town: every fourth, none of those with radios or bugs."""
    return seed % 4 == 3  # noqa: PLR2004 - an odd one


def has_galleries(seed: int) -> bool:
    """Whether people in this seed's town report persons at the in-shop page: five towns of eight, of every sort."""
    return seed % 8 not in (0, 3, 6)


def has_policies(seed: int) -> bool:
    """Whether people are asked one after the other in this seed's town: three of eight, none with a flood or bugs."""
    return seed % 8 in (1, 4, 6)


def can_show(seed: int, plant: Plant) -> bool:
    """Whether this seed's town has what the planted fault needs."""
    return (
        (has_radio(seed) or plant not in RADIO_PLANTS)
        and (has_bugs(seed) or plant not in BUG_PLANTS)
        and (has_flooder(seed) or plant not in FLOOD_PLANTS)
    )


def run(seed: int, *, node_count: int = 5, plant: Plant | None = None) -> Result:
    """Play one town: presses, answers and faults drawn from ``seed``; then everything heals and is judged."""
    radio = _radio_plan(seed, node_count) if has_radio(seed) else None
    town = Town(seed, node_count, plant, radio, has_flooder=has_flooder(seed))
    town.central.asked = AskedWorld(seed, town) if plant is None and has_policies(seed) else None
    flooder = Flooder(town) if has_flooder(seed) else None
    timeline = town.timeline
    chance = timeline.chance
    revoked: set[NodeId] = set()
    broken = ""
    if has_bugs(seed):
        town.central.bugs = Bugs(seed, plant)
    try:
        if town.air is not None:
            join(town.air)
        town.start()
        timeline.run_until(QUIET_START_MS, town.invariants.after_each)
        busy_until_ms = QUIET_START_MS + chance.randint(60_000, 240_000)
        _plan(town, busy_until_ms, revoked)
        if plant is None and has_galleries(seed):  # Where a planted fault shows, nothing else is new.
            _plan_reports(town, busy_until_ms - timeline.now_ms, random.Random(f"reports {seed}"))
        if flooder is not None:
            _some(town, FLOODS, busy_until_ms - timeline.now_ms, lambda _town: flooder.flood())
        timeline.run_until(busy_until_ms, town.invariants.after_each)
        if town.air is not None:
            close(town, closing_of(seed), frozenset(revoked))
        elif flooder is not None:
            flooder.press_amid_flood(frozenset(revoked))
        else:
            miss_an_upgrade(town)
        heal(town)
        timeline.run_until(timeline.now_ms + SETTLE_MS, town.invariants.after_each)
        town.invariants.judge_presses()
        town.invariants.judge_delivery(frozenset(revoked))
        town.invariants.judge_warned(town.newest_directory, frozenset(revoked))
        if flooder is not None:
            flooder.press_again_behind_an_assist()
    except BrokenInvariantError as e:
        broken = str(e)
    except Exception as e:  # noqa: BLE001 - a core that raises is a finding like any other, with its seed and trace
        broken = f"raised {type(e).__name__}: {e}"
    figures = town.air.figures if town.air is not None else Figures()
    return Result(
        seed=seed,
        trace_hash=timeline.trace_hash,
        broken=broken,
        trace_tail=timeline.trace_tail if broken else (),
        steps=timeline.steps,
        alerts=len(town.invariants.truth),
        shown=town.invariants.shown,
        late=town.invariants.late,
        virtual_ms=timeline.now_ms,
        overs=figures.overs,
        airtime_ms=figures.airtime_ms,
        heard=figures.receptions,
    )


def _radio_plan(seed: int, node_count: int) -> RadioPlan:
    """Drawn from the seed alone, before there is a timeline."""
    chance = random.Random(f"radio {seed}")
    return RadioPlan(
        blind_ms=chance.choice((100, 300, 300, 600)),
        capture_db=chance.choice((None, None, 6.0)),
        unlicensed=frozenset(at for at in range(node_count) if chance.random() < 0.1),  # noqa: PLR2004 - one in ten
        neutral=frozenset(at for at in range(node_count) if chance.random() < 0.3),  # noqa: PLR2004 - one in three
    )


def _plan(town: Town, until_ms: int, revoked: set[NodeId]) -> None:
    chance = town.timeline.chance
    span_ms = until_ms - town.timeline.now_ms
    if town.central.asked is not None:
        town.central.asked.plan(span_ms)
    _plan_presses(town, span_ms)
    _some(town, 12, span_ms, act_at_central)
    _some(town, 10, span_ms, random_fault)
    _some(town, 20, span_ms, lie)
    _some(town, 6, span_ms // 2, put_back_card)
    if town.air is not None:
        _some(town, 10, span_ms, random_air_fault)
    if chance.random() < 0.1:  # noqa: PLR2004 - one town in ten loses a node to a thief
        thief = chance.choice(town.nodes).id

        def revoke() -> None:
            revoked.add(thief)
            town.revoke(thief)
            if town.air is not None:
                town.timeline.after(chance.randint(0, span_ms), lambda: speak_as(town, thief))

        town.timeline.after(chance.randint(0, span_ms), revoke)


def _plan_presses(town: Town, span_ms: int) -> None:
    timeline, chance = town.timeline, town.timeline.chance
    for node in town.nodes:
        moments = sorted(chance.randint(0, span_ms - GESTURE_ROOM_MS) for _ in range(chance.randint(0, 6)))
        last_ms = -GESTURE_ROOM_MS
        for moment_ms in moments:
            if moment_ms - last_ms >= GESTURE_ROOM_MS:
                last_ms = moment_ms
                gesture = chance.choice(tuple(Gesture))
                timeline.after(moment_ms, lambda node=node, gesture=gesture: make_gesture(town, node, gesture))  # type: ignore[misc]


def _plan_reports(town: Town, span_ms: int, chance: random.Random) -> None:
    for node in town.nodes:
        for _ in range(chance.randint(0, REPORTS_EACH_MAX)):
            town.timeline.after(chance.randint(0, span_ms), partial(report, town, node, chance))


def _some(town: Town, most: int, span_ms: int, happens: Callable[[Town], None]) -> None:
    for _ in range(town.timeline.chance.randint(0, most)):
        town.timeline.after(town.timeline.chance.randint(0, span_ms), lambda: happens(town))
