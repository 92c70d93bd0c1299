"""A storm: every premises presses at once, none has a network, and central's gateway hears them on one channel.

Measured from the press: when central committed the last alert, and when the last presser knew (N8, N9).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from msgspec import Struct

from node.core.controls import Button
from sim.air import Figures
from sim.peer import PeerResult
from sim.peer import storm as peer_storm
from sim.plants import Plant
from sim.town import RadioPlan, Town
from wire.frames import Alert
from wire.ids import FrameId
from wire.kinds import AlertKind

QUIET_START_MS: Final = 40_000
"""Long enough for every node to notice that it has no network."""
UNTIL_MS: Final = 3_600_000
LOOK_EVERY_MS: Final = 1_000
BAR_S: Final = {5: 90.0, 12: 150.0, 50: 362.0}
"""Fifty: the last delivery of a plain policy (0.3 s blind time, 5 % loss). Fewer: before the slow tries begin."""
HOLD_MS: Final = {AlertKind.ATTACK: 1_200, AlertKind.ASSIST: 150}
BUTTONS: Final = {AlertKind.ATTACK: Button.ATTACK, AlertKind.ASSIST: Button.ASSIST}
PEER_WINDOWS_MS: Final = ((1_000, 2_000), (10_000, 20_000))


class StormResult(Struct, frozen=True):
    """The outcome.

    Attributes:
        last_commit_ms, last_receipt_ms: since the press; 0 = none.
        untold_ms: the longest time from a commit until its presser knew.
        broken: the invariant that broke, or empty.
    """

    nodes: int
    delivered: int
    receipted: int
    last_commit_ms: int
    last_receipt_ms: int
    untold_ms: int
    airtime_ms: int
    overs: int
    collisions: int
    broken: str
    trace_tail: tuple[str, ...]


def storm(nodes: int, *, seed: int = 1, kind: AlertKind = AlertKind.ATTACK, plant: Plant | None = None) -> StormResult:
    """Play it until every presser has a receipt, or for an hour."""
    town = Town(seed, nodes, plant, RadioPlan())
    assert town.air is not None
    broken, before = "", Figures()
    try:
        start_without_network(town)
        before = replace(town.air.figures)
        press_together(town, kind)
        wait_for_receipts(town, QUIET_START_MS + UNTIL_MS)
        town.invariants.after_each()
    except AssertionError as e:
        broken = str(e) or "assertion"
    invariants, figures = town.invariants, town.air.figures
    alerts = alerts_of(town)
    committed = [invariants.committed_ms[frame_id] for frame_id in alerts if frame_id in invariants.committed_ms]
    receipted = [invariants.receipted_ms[frame_id] for frame_id in alerts if frame_id in invariants.receipted_ms]
    return StormResult(
        nodes=nodes,
        delivered=len(committed),
        receipted=len(receipted),
        last_commit_ms=max(committed, default=QUIET_START_MS) - QUIET_START_MS,
        last_receipt_ms=max(receipted, default=QUIET_START_MS) - QUIET_START_MS,
        untold_ms=max(
            (invariants.receipted_ms[a] - invariants.committed_ms[a] for a in alerts if a in invariants.receipted_ms),
            default=0,
        ),
        airtime_ms=figures.airtime_ms - before.airtime_ms,
        overs=figures.overs - before.overs,
        collisions=figures.collisions - before.collisions,
        broken=broken,
        trace_tail=town.timeline.trace_tail,
    )


def start_without_network(town: Town) -> None:
    """Start the town, until every premises has noticed that it has no network; central's gateway has one."""
    for node in town.nodes:
        town.broker.cut(node.id)
    town.start()
    town.timeline.run_until(QUIET_START_MS, _nothing)


def press_together(town: Town, kind: AlertKind) -> None:
    """Every premises presses, long enough to count."""
    for node in town.nodes:
        node.pin(BUTTONS[kind], is_down=True)
    town.timeline.run_until(town.timeline.now_ms + HOLD_MS[kind], _nothing)
    for node in town.nodes:
        node.pin(BUTTONS[kind], is_down=False)


def wait_for_receipts(town: Town, until_ms: int) -> None:
    """Run until every premises has its receipt, at most until ``until_ms``."""
    while town.timeline.now_ms < until_ms and not _is_over(town):
        town.timeline.run_until(town.timeline.now_ms + LOOK_EVERY_MS, _nothing)


def alerts_of(town: Town) -> list[FrameId]:
    """Every alert pressed."""
    return [frame_id for frame_id, truth in town.invariants.truth.items() if isinstance(truth.signed.frame, Alert)]


def tell(result: StormResult, kind: AlertKind) -> str:
    """The storm in one line."""
    bar_s = BAR_S.get(result.nodes)
    return (
        f"storm of {result.nodes} ({kind.slug}): delivered {result.delivered} of {result.nodes}, last commit"
        f" {result.last_commit_ms / 1000:.1f} s, receipts {result.receipted}, the last"
        f" {result.last_receipt_ms / 1000:.1f} s after the press, at most"
        f" {result.untold_ms / 1000:.1f} s after its commit, airtime {result.airtime_ms / 1000:.0f} s in"
        f" {result.overs} overs, {result.collisions} receptions collided"
        f"{f'; bar {bar_s:.0f} s' if bar_s else ''}{f'; BROKEN {result.broken}' if result.broken else ''}"
    )


def tell_peer(nodes: int, window_ms: tuple[int, int], result: PeerResult) -> str:
    """The peer's storm in one line."""
    low_ms, high_ms = window_ms
    return (
        f"    peer, window {low_ms // 1000}–{high_ms // 1000} s doubling: delivered {result.delivered} of {nodes}, last"
        f" heard {result.last_ms / 1000:.1f} s, airtime {result.airtime_ms / 1000:.0f} s in {result.overs} overs,"
        f" {result.collisions} receptions collided"
    )


def peers(nodes: int, seed: int = 1) -> list[tuple[tuple[int, int], PeerResult]]:
    """The plain policies on the same air: window in ms, and outcome."""
    return [(window_ms, peer_storm(seed, nodes, window_ms, until_ms=UNTIL_MS)) for window_ms in PEER_WINDOWS_MS]


def is_good(result: StormResult) -> bool:
    """Whether no invariant broke, all were delivered and receipted, and faster than the bar."""
    bar_s = BAR_S.get(result.nodes)
    is_fast = bar_s is None or result.last_receipt_ms < 1000 * bar_s
    return not result.broken and result.nodes == result.delivered == result.receipted and is_fast


def _is_over(town: Town) -> bool:
    alerts = alerts_of(town)
    return len(alerts) >= len(town.nodes) and town.invariants.receipted_ms.keys() >= set(alerts)


def _nothing() -> None:
    return
