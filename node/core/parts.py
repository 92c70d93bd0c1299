"""Parts that fail, are retried and recover; none of them stops the rest (F5)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import MappingProxyType
from typing import Final

from node.core.controls import Part
from node.core.effects import RetryPart
from node.core.state import Fault, NodeState
from node.core.turn import Timer, Turn

RETRY_MAX_MS: Final = 60_000
_HEALTH_APART_MS: Final = 1_000
"""A part that flaps does not flood central: two reports are at least this far apart."""


def failed(turn: Turn, part: Part, detail: str) -> None:
    """A part does not work, or still does not."""
    known = turn.state.faults.get(part)
    first_ms = turn.timing.part_retry_ms
    if known is None:
        fault = Fault(detail, turn.now_ms, turn.now_ms + first_ms, first_ms)
        tell_soon(turn)
    else:
        fault = Fault(detail, known.since_ms, known.retry_at_ms, known.backoff_ms)
    turn.state.faults = MappingProxyType({**turn.state.faults, part: fault})


def recovered(turn: Turn, part: Part) -> None:
    """A part works again."""
    if part in turn.state.faults:
        turn.state.faults = MappingProxyType({p: fault for p, fault in turn.state.faults.items() if p is not part})
        tell_soon(turn)


def timers(state: NodeState) -> Iterator[Timer]:
    """Each failed part is retried, less and less often."""
    for part, fault in state.faults.items():
        yield fault.retry_at_ms, partial(_retry, part=part)


def _retry(turn: Turn, part: Part) -> None:
    fault = turn.state.faults[part]
    backoff_ms = min(2 * fault.backoff_ms, max(RETRY_MAX_MS, turn.timing.part_retry_ms))
    again = Fault(fault.detail, fault.since_ms, turn.now_ms + backoff_ms, backoff_ms)
    turn.state.faults = MappingProxyType({**turn.state.faults, part: again})
    turn.order(RetryPart(part))


def tell_soon(turn: Turn) -> None:
    """Report a change to central before the next regular report."""
    state = turn.state
    if state.health_at_ms is None:
        return
    soon_ms = turn.now_ms if state.health_sent_ms is None else state.health_sent_ms + _HEALTH_APART_MS
    turn.state.health_at_ms = min(state.health_at_ms, max(turn.now_ms, soon_ms))
