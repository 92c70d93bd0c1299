"""What central has said, kept through restarts: a closing stands, whatever older message is replayed (N3).

Closings and answers to us are kept at once, the highest numbers otherwise every ten seconds; numbers lost in a crash
are asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from node.core.effects import KeepTold, Told
from node.core.incident.lifecycle import CLOSED_MAX
from node.core.neighbours import alerts as neighbours
from node.core.state import NodeState
from node.core.turn import Timer, Turn

ENDED_EVERY_MS: Final = 1_000
KEEP_EVERY_MS: Final = 10_000


def restore(turn: Turn, told: Told) -> None:
    """Combine the disk's with what this run has already heard."""
    known = both(told, _told(turn.state))
    turn.state.told = told
    turn.state.ended = known.ended
    turn.state.closed = known.closed
    turn.state.central.told_counter = told.counter
    turn.state.central.highest_counter = known.counter
    turn.state.central.highest_revision = known.revision
    turn.state.central.speaks = known.speaks


def both(earlier: Told, later: Told) -> Told:
    """What two runs heard from central, combined; beyond the limit the earlier is dropped."""
    return Told(
        max(earlier.counter, later.counter),
        max(earlier.revision, later.revision),
        (*(key for key in earlier.closed if key not in later.closed), *later.closed)[-CLOSED_MAX:],
        neighbours.newest_ended((*(i for i in earlier.ended if i not in later.ended), *later.ended)),
        earlier.speaks if later.speaks is None else later.speaks,
    )


def timers(state: NodeState) -> Iterator[Timer]:
    """Changes are kept: a closing at once."""
    now, kept = _told(state), state.told
    if now.closed != kept.closed:
        yield state.now_ms, keep
    elif now != kept:
        yield state.told_ms + (ENDED_EVERY_MS if now.ended != kept.ended else KEEP_EVERY_MS), keep


def keep(turn: Turn) -> None:
    """Order it written to disk if anything has changed."""
    now = _told(turn.state)
    if now != turn.state.told:
        turn.state.told = now
        turn.state.told_ms = turn.now_ms
        turn.order(KeepTold(now))


def _told(state: NodeState) -> Told:
    central = state.central
    return Told(central.highest_counter, central.highest_revision, state.closed, state.ended, central.speaks)
