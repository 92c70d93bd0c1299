"""Which frames of other members were accepted, and the urgency shown: in memory and on disk (N5)."""

from __future__ import annotations

from typing import Final

from node.core.effects import KeepSeen
from node.core.ledger import Shelf
from node.core.state import Inbox, NodeState, Seen
from node.core.turn import Turn
from wire.ids import FrameId
from wire.kinds import Priority

INBOX_TURN_MS: Final = 24 * 3_600_000
INBOX_ROWS_MAX: Final = 20_000


def is_new(turn: Turn, frame_id: FrameId, digest: bytes) -> bool:
    """Whether no frame with this id was accepted before; a different frame with the same id is refused and counted."""
    known = seen_of(turn.state, frame_id)
    if known is None or not known.digest:
        return True
    if known.digest != digest:
        turn.reject("id conflict")
    return False


def seen_of(state: NodeState, frame_id: FrameId) -> Seen | None:
    """What is known of it; ``None`` = not accepted."""
    return state.inbox.recent.get(frame_id) or state.inbox.older.get(frame_id)


def is_shown_as(seen: Seen, priority: Priority) -> bool:
    """Whether the panel has shown it at least this urgent."""
    return seen.shown is not None and seen.shown <= priority


def is_newest(state: NodeState, frame_id: FrameId) -> bool:
    """Whether its number is above all others heard from its sender."""
    return frame_id.counter > (state.inbox.highest.get(FrameId(frame_id.node, 0)) or 0)


def remember(turn: Turn, frame_id: FrameId, seen: Seen) -> None:
    """Remember it, also on disk."""
    put(turn, frame_id, seen)
    turn.order(KeepSeen(frame_id, seen.digest, seen.shown))


def put(turn: Turn, frame_id: FrameId, seen: Seen) -> None:
    """Remember it in this run."""
    inbox = turn.state.inbox
    highest = inbox.highest
    if is_newest(turn.state, frame_id):
        highest = highest.put(FrameId(frame_id.node, 0), frame_id.counter)
    turn.state.inbox.recent = inbox.recent.put(frame_id, seen)
    turn.state.inbox.highest = highest


def settle(turn: Turn) -> None:
    """Forget what was accepted two days ago."""
    kept = turn.state.inbox
    if turn.now_ms - kept.turned_ms >= INBOX_TURN_MS or len(kept.recent) >= INBOX_ROWS_MAX:
        turn.state.inbox = Inbox(Shelf(), kept.recent, turn.now_ms, kept.highest)
