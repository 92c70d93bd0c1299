"""Pre-emption: a fresh attack does not wait for our own lesser over (N8, N10), up to fifteen seconds long.

- A lesser sentence is cut as soon as the bursts before it are out: they are on their way to central, and the attack's
  own sentence says more.
- Lesser bursts are cut if they would take much longer; their frames are still wanted, and go with the attack. Most take
  less time than a new over needs to come up: those may finish.
- An over with an attack in it is never cut, nor one that central ordered: it ends another node's wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from msgspec.structs import replace

from node.core.effects import StopOver
from node.core.radio_state import Over
from node.core.state import NodeState
from node.core.turn import Timer, Turn
from wire.frames import Alert
from wire.kinds import AlertKind

SPARE_MS: Final = 500
"""How much later than ordered the sound device may play."""
WORTH_MS: Final = 2_000
"""Bursts that take longer than this from now are cut."""


def timers(state: NodeState) -> Iterator[Timer]:
    """The over on the air is cut, unless it is left to finish."""
    over = state.radio.over
    if over is None or over.started_ms is None or over.is_cut or not over.counters or not _is_awaited(state, over):
        return
    sent_ms = over.started_ms + over.bursts_ms + SPARE_MS
    if sent_ms - state.now_ms > WORTH_MS:
        yield state.now_ms, partial(_cut, over=over)
    elif over.says is not None:
        yield sent_ms, partial(_cut, over=over)


def _cut(turn: Turn, over: Over) -> None:
    turn.state.radio.over = replace(over, is_cut=True)
    turn.order(StopOver(over.number))


def _is_awaited(state: NodeState, over: Over) -> bool:
    """Whether an attack that was never on the air waits for the end of an over that carries none."""
    if any(_is_attack(state, counter) for counter in over.counters):
        return False
    return any(not w.is_late and w.tries == 0 and _is_attack(state, w.counter) for w in state.radio.wanted)


def _is_attack(state: NodeState, counter: int) -> bool:
    row = state.outbox.rows.get(counter)
    frame = None if row is None else row.signed.frame
    return isinstance(frame, Alert) and frame.kind is AlertKind.ATTACK
