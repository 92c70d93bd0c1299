"""The newest board, kept by applying change after change. Lives on the web's side."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from msgspec.structs import replace

from central.core.asking_lines import WentOffLine
from central.core.details import PremisesLine
from central.core.timing import CLOSED_SHOWN
from central.core.view import OF_CENTRAL, Board, Card, Change, NodeLine, OnDuty, SchemeLine

SAID: Final = (*OF_CENTRAL, "on_duty", "rejected", "schemes", "next_shifts", "missing", "went_off")
"""Fields of a board and its changes that are told whole."""


_READ: Final = attrgetter(*SAID)
_NOTHING: Final = (None,) * len(SAID)


def said_in(change: Change) -> dict[str, Any]:
    """Those of :data:`SAID` that a change tells."""
    values = _READ(change)
    # Nearly every change tells none: asked for each scope, at each of them.
    return {} if values == _NOTHING else {n: value for n, value in zip(SAID, values, strict=True) if value is not None}


def concerns_only(
    schemes: Collection[int],
    lines: Iterable[Card | NodeLine | PremisesLine],
    people: Iterable[OnDuty | WentOffLine],
) -> bool:
    """Whether none of these concerns a scheme beside ``schemes``."""
    return all(number in schemes for line in lines for number in line.scheme_numbers) and all(
        number in schemes for one in people for number in one.schemes
    )


class BoardKeeper:
    """Holds one board. Not thread-safe: one loop owns it."""

    def __init__(self, board: Board, closed_shown: timedelta = CLOSED_SHOWN) -> None:
        self._board = board
        self._closed_shown = closed_shown
        self._cards: dict[str, Card] = {card.key: card for card in board.cards}
        self._nodes: dict[str, NodeLine] = {node.node: node for node in board.nodes}
        self._premises: dict[str, PremisesLine] = {one.node: one for one in board.premises}
        self._sequence = board.sequence
        self._is_stale = False

    def node(self, node: str) -> NodeLine | None:
        """The line of a unit; ``None``: there is none."""
        return self._nodes.get(node)

    @property
    def schemes(self) -> tuple[SchemeLine, ...]:
        """Of the town."""
        return self._board.schemes

    def is_all_of(self, schemes: Collection[int]) -> bool:
        """Whether nothing on the board concerns a scheme beside these."""
        lines: tuple[Card | NodeLine | PremisesLine, ...] = (
            *self._cards.values(),
            *self._nodes.values(),
            *self._premises.values(),
        )
        return concerns_only(schemes, lines, (*self._board.on_duty, *self._board.went_off))

    def has_card(self, key: str) -> bool:
        """Whether there is a card of that name."""
        return key in self._cards

    def has_premises(self, node: str) -> bool:
        """Whether the premises of that unit is known."""
        return node in self._premises

    def said(self, name: str) -> object:
        """The newest value of a field that is neither card, line nor premises."""
        return getattr(self._board, name)

    def apply(self, change: Change) -> None:
        """Apply the next change.

        Raises:
            ValueError: a change is missing in between; sequences have no gaps.
        """
        if change.sequence != self._sequence + 1:
            raise ValueError(f"change {change.sequence} after {self._sequence}")
        self._sequence = change.sequence
        for key in change.gone_cards:
            self._cards.pop(key, None)
        for card in change.cards:
            self._cards[card.key] = card
        for line in change.nodes:
            self._nodes[line.node] = line
        for node in change.gone_nodes:
            self._nodes.pop(node, None)
        for node in change.gone_premises:
            self._premises.pop(node, None)
        for premises in change.premises:
            self._premises[premises.node] = premises
        if said := said_in(change):
            self._board = replace(self._board, **said)
        self._is_stale = True

    def board(self, now_at: datetime) -> Board:
        """The board at ``now_at``, without cards closed over an hour ago (``closed_shown``)."""
        oldest = now_at - self._closed_shown
        gone = [text for text, card in self._cards.items() if card.closed_at and card.closed_at < oldest]
        for text in gone:
            del self._cards[text]
        if self._is_stale or gone:
            self._board = replace(
                self._board,
                cards=tuple(self._cards.values()),
                nodes=tuple(self._nodes.values()),
                premises=tuple(self._premises.values()),
            )
            self._is_stale = False
        return replace(self._board, sequence=self._sequence, at=now_at)
