"""Whether another unit has our identity: a card was copied, or an old one is in use again.

The two take the link from each other every few seconds and use the same counters, so that central may refuse frames of
one of them. Once may be an engineer trying a spare card; twice within a minute means that two units are running.
"""

from __future__ import annotations

from typing import Final

from node.core.central import TAKEN_TOLD_MS, Taken
from node.core.parts import tell_soon
from node.core.turn import Turn

WITHIN_MS: Final = 60_000
DETAIL: Final = "DUPLICATE IDENTITY: another unit uses this unit's card or a copy; switch one off, see the runbook"


def taken(turn: Turn) -> None:
    """The broker gave our session to another program with our certificate."""
    before, now_ms = turn.state.central.taken, turn.now_ms
    known_ms = None
    if before is not None and now_ms - before.last_ms < (WITHIN_MS if before.known_ms is None else TAKEN_TOLD_MS):
        known_ms = now_ms if before.known_ms is None else before.known_ms
    turn.state.central.taken = Taken(now_ms, known_ms)
    if known_ms == now_ms:
        turn.fact("duplicate_identity", None)
        tell_soon(turn)
