"""The scales by which this node judges how long ago something was pressed (N13), and the time that it shows.

Central's is learnt only from its signed answer to a sync of ours, and carried on by our monotonic clock, whether
central is there or not, through restarts of the program until the machine boots. Central's earlier scales count for
three more days. Our own proven clock is one more scale, and the only one ever shown: people compare the panel with the
clock on the wall. See :mod:`wire.lateness` for the rule.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from node.core.effects import KeepScales, Scale
from node.core.state import NodeState, wall_at_s
from node.core.turn import Turn
from wire.ids import U32_MAX
from wire.lateness import ANSWER_WITHIN_MS, SCALE_KEPT_MS, SCALES_AGREE_MS, Judgement, judge

LEARN_EVERY_MS: Final = 3_600_000
"""The monotonic clock may drift by a fifth of a second in that time."""
EARLIER_MAX: Final = 8
"""Enough for a central that restarts repeatedly with a different time."""


def learn(turn: Turn, boot_id: str, at_ms: int, asked_ms: int) -> None:
    """Learn from central's signed answer to the sync of ``asked_ms`` that its Unix time was ``at_ms``."""
    way_ms = turn.now_ms - asked_ms
    if way_ms > ANSWER_WITHIN_MS:
        return
    learnt = Scale(boot_id, at_ms - (asked_ms + turn.now_ms) // 2, turn.now_ms, way_ms)
    before = present(turn.state)
    if before is not None and is_near(before, learnt) and before.boot_id == boot_id:
        # Once an hour, because of drift; before that only if the answer was quicker and so more exact.
        if turn.now_ms - before.learnt_ms < LEARN_EVERY_MS and way_ms >= before.way_ms:
            return
        earlier = turn.state.central.scales[1:]
    else:
        left = () if before is None or is_near(before, learnt) else (replace(before, left_ms=turn.now_ms),)
        earlier = (*left, *turn.state.central.scales[1:])
    kept = tuple(s for s in earlier if _is_kept(s, turn.now_ms))[:EARLIER_MAX]
    restore(turn, (learnt, *kept))
    turn.order(KeepScales(turn.state.central.scales))


def restore(turn: Turn, scales: tuple[Scale, ...]) -> None:
    """Restore scales from disk, of this boot of the machine, the present one first."""
    turn.state.central.scales = scales


def present(state: NodeState) -> Scale | None:
    """Central's present scale, if known."""
    return state.central.scales[0] if state.central.scales else None


def is_near(one: Scale, other: Scale) -> bool:
    """Whether the two cannot be told apart."""
    return abs(one.offset_ms - other.offset_ms) <= SCALES_AGREE_MS


def clock_gap_ms(state: NodeState) -> int | None:
    """How far our own proven clock is ahead of central's; ``None`` = one is not known."""
    scale = present(state)
    if scale is None or not state.clock.is_proven or state.clock.offset_ms is None:
        return None
    return state.clock.offset_ms - scale.offset_ms


def readings_s(state: NodeState, at_ms: int) -> tuple[int, ...]:
    """Each scale's Unix seconds for a moment of this boot, most trusted first."""
    found = [(scale.offset_ms + at_ms) // 1000 for scale in state.central.scales if _is_kept(scale, state.now_ms)]
    own_s = wall_at_s(state, at_ms)
    return (*found, own_s) if own_s else tuple(found)


def stamp_s(state: NodeState, at_ms: int) -> int:
    """Time for a frame of ours about a moment of this boot; 0 = not known."""
    scale = present(state)
    at_s = 0 if scale is None else (scale.offset_ms + at_ms) // 1000
    return at_s if 0 < at_s <= U32_MAX else wall_at_s(state, at_ms)


def judged(state: NodeState, at_s: int, *, is_newest: bool) -> Judgement:
    """Judge late or live for something with the time ``at_s`` (0 = none) that arrives now."""
    return judge(at_s, readings_s(state, state.now_ms), is_newest=is_newest)


def age_s(state: NodeState, at_s: int) -> int:
    """The least age by any scale; 0 if none can tell."""
    return max(0, min((now_s - at_s for now_s in readings_s(state, state.now_ms)), default=0)) if at_s else 0


def shown_at_s(state: NodeState, at_ms: int) -> int:
    """Unix time to show for a moment of this boot: by our own proven clock, else by central's scale; 0 = not known."""
    return wall_at_s(state, at_ms) or stamp_s(state, at_ms)


def on_our_clock_s(state: NodeState, central_s: int) -> int:
    """A Unix time of central's by our own proven clock, which people see, if the two are known to differ; 0 = none."""
    gap_ms = clock_gap_ms(state)
    is_same = not central_s or gap_ms is None or abs(gap_ms) <= SCALES_AGREE_MS
    return central_s if is_same or gap_ms is None else max(0, central_s + gap_ms // 1000)


def unix_s(moment: datetime) -> int:
    """Unix time in seconds; 0 if there is none for it."""
    try:
        return max(0, int(moment.timestamp()))
    except (OverflowError, ValueError):
        return 0


def _is_kept(scale: Scale, now_ms: int) -> bool:
    return scale.left_ms is None or now_ms - scale.left_ms < SCALE_KEPT_MS
