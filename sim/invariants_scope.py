"""What people of one scheme are shown, and the invariant about it.

| id | what must hold |
|---|---|
| I31 (C2) | a page of one scheme shows each live alert that names it, and no unit, person or number of another's |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from central.core.boards import BoardKeeper
from central.core.rights import WHOLE_TOWN, Scope
from central.core.sight import View
from sim.broken import BrokenInvariantError
from wire.frames import Alert
from wire.ids import NodeId, node_text

if TYPE_CHECKING:
    from datetime import datetime

    from central.core.journal import FrameEntry
    from central.core.view import Board, Change


class ScopedPages:
    """A page of each scheme, fed as the web's side feeds it."""

    def __init__(self, memberships: Mapping[NodeId, frozenset[int]], schemes: Iterable[int], *, is_open: bool) -> None:
        """``is_open``: the planted fault, every page gets the whole town."""
        self._memberships = memberships
        self._scopes = {
            number: WHOLE_TOWN if is_open else Scope(frozenset({number}), frozenset({number})) for number in schemes
        }
        self._whole: BoardKeeper | None = None
        self._views: dict[int, View] = {}

    def begin(self, board: Board) -> None:
        """A run of central begins."""
        self._whole = BoardKeeper(board)
        self._views = {number: View(scope, self._whole, "", board.at) for number, scope in self._scopes.items()}
        for number, view in self._views.items():
            self._judge_words(number, view.board(board.at))

    def take(self, change: Change) -> None:
        """The next change; the pages' own have no gaps, or this raises."""
        assert self._whole is not None, "a board comes first"
        self._whole.apply(change)
        for number, view in self._views.items():
            before = view.sequence
            made = view.take(change)
            if view.sequence != before + (made is not None):
                raise BrokenInvariantError(f"I31: the page of scheme {number} counts what it does not show")
            if made is not None:
                self._judge_words(number, made)

    def judge(self, new: Iterable[FrameEntry], now_at: datetime) -> None:
        """The ``new`` frames are on disk and told."""
        for entry in new:
            frame = entry.signed.frame
            if not isinstance(frame, Alert):
                continue
            for number in self._views.keys() & set(frame.schemes):
                cards = self._views[number].board(now_at).cards
                if node_text(frame.sender) not in {card.node for card in cards if card.state != "closed"}:
                    raise BrokenInvariantError(f"I31: {frame.id.text} is on no card of scheme {number}")

    def _judge_words(self, number: int, shown: Board | Change) -> None:
        said = msgspec.json.encode(shown).decode()
        for node, schemes in self._memberships.items():
            if schemes and number not in schemes and node_text(node) in said:
                raise BrokenInvariantError(f"I31: the page of scheme {number} is told of {node_text(node)}")
