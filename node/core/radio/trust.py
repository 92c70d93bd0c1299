"""Whether the network is trusted with an alert for ``receipt_due_ms`` before the radio joins in (N8).

If in doubt, the radio is due at once: it waits at random for a second or more before it transmits, and a receipt by the
network within that time stops it. So doubt costs only a word on the screen, and trust returns slowly: only once central
has been heard without a break for :data:`TRUSTED_AFTER_MS`, or has sent a receipt by the network.
"""

from __future__ import annotations

from typing import Final

from node.core.state import NodeState
from node.core.table import PathPhase
from node.core.turn import Turn

TRUSTED_AFTER_MS: Final = 30_000


def observe(turn: Turn) -> None:
    """Note since when central has been heard without a break."""
    is_proven = turn.state.central.path is PathPhase.PROVEN
    if is_proven is (turn.state.radio.proven_ms is None):
        turn.state.radio.proven_ms = turn.now_ms if is_proven else None


def received(turn: Turn) -> None:
    """A receipt came by the network."""
    turn.state.radio.received_ms = turn.now_ms


def doubted(turn: Turn) -> None:
    """A receipt did not come in time."""
    turn.state.radio.doubted_ms = turn.now_ms


def is_trusted(state: NodeState, now_ms: int) -> bool:
    """Whether an alert pressed now may wait for the network first."""
    radio = state.radio
    if state.central.path is not PathPhase.PROVEN:
        return False
    proven_ms = now_ms if radio.proven_ms is None else radio.proven_ms
    bad_ms = proven_ms if radio.doubted_ms is None else max(proven_ms, radio.doubted_ms)
    if radio.received_ms is not None and radio.received_ms >= bad_ms:
        return True
    return now_ms - bad_ms >= TRUSTED_AFTER_MS
