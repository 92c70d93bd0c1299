"""A pin never sticks: it is low while a browser holds it, and high when the last one is gone."""

from __future__ import annotations

from pathlib import Path

from demo.board import BoardLink
from demo.panel.holds import Holds


def make_board() -> BoardLink:
    return BoardLink(Path("board.sock"), lambda: None)


def test_holds_presses_while_anybody_holds() -> None:
    board, holds = make_board(), Holds()

    holds.hold(board, "attack", "1")
    holds.hold(board, "attack", "2")
    holds.let_go(board, "attack", "1")
    held_by_one = board.held
    holds.let_go(board, "attack", "2")

    assert frozenset({"attack"}) == held_by_one
    assert frozenset() == board.held


def test_holds_lets_go_of_all_when_a_browser_goes() -> None:
    board, holds = make_board(), Holds()
    holds.hold(board, "attack", "1")
    holds.hold(board, "assist", "1")
    holds.hold(board, "seen", "2")

    holds.let_go_of_all("1")

    assert frozenset({"seen"}) == board.held


def test_holds_ignores_a_release_by_somebody_else() -> None:
    board, holds = make_board(), Holds()
    holds.hold(board, "attack", "1")

    holds.let_go(board, "attack", "2")

    assert frozenset({"attack"}) == board.held
