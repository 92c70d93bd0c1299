"""The newest board, kept by applying change after change. Lives where the web lives."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from central.core.timing import CLOSED_SHOWN
from central.core.view import Board, Card, Change, NodeLine


class BoardKeeper:
    """Holds one board. Not thread-safe: one loop owns it."""

    def __init__(self, board: Board, closed_shown: timedelta = CLOSED_SHOWN) -> None:
        self._board = board
        self._closed_shown = closed_shown
        self._cards: dict[str, Card] = {card.incident: card for card in board.cards}
        self._nodes: dict[str, NodeLine] = {node.node: node for node in board.nodes}
        self._is_stale = False

    def apply(self, change: Change) -> None:
        """Take the next change.

        Raises:
            ValueError: a change is missing in between; the sequences have no gaps.
        """
        if change.sequence != self._board.sequence + 1:
            raise ValueError(f"change {change.sequence} after {self._board.sequence}")
        self._cards.update((card.incident, card) for card in change.cards)
        self._nodes.update((node.node, node) for node in change.nodes)
        for node in change.gone_nodes:
            self._nodes.pop(node, None)
        before = self._board
        self._board = replace(
            before,
            sequence=change.sequence,
            at=change.at,
            on_watch=before.on_watch if change.on_watch is None else change.on_watch,
            is_broker_linked=before.is_broker_linked if change.is_broker_linked is None else change.is_broker_linked,
            is_disk_ok=before.is_disk_ok if change.is_disk_ok is None else change.is_disk_ok,
            rejected=before.rejected if change.rejected is None else change.rejected,
        )
        self._is_stale = True

    def board(self, now_at: datetime) -> Board:
        """All of it, without what was closed too long ago."""
        oldest = now_at - self._closed_shown
        gone = [text for text, card in self._cards.items() if _closed_at(card, now_at) < oldest]
        for text in gone:
            del self._cards[text]
        if self._is_stale or gone:
            self._board = replace(self._board, cards=tuple(self._cards.values()), nodes=tuple(self._nodes.values()))
            self._is_stale = False
        return replace(self._board, at=now_at)


def _closed_at(card: Card, now_at: datetime) -> datetime:
    if card.state != "closed":
        return now_at
    return next((line.at for line in reversed(card.history) if line.what == "closed"), now_at)
