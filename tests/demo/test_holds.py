"""A pin never sticks: it is low while a browser holds it, and high when the last one is gone."""

from __future__ import annotations

from pathlib import Path

from demo.board import BoardLink
from demo.panel.holds import Holds


def make_holds() -> Holds:
    """Of two browsers that are here."""
    holds = Holds()
    for client in ("1", "2"):
        holds.enter(client)
    return holds


def make_board() -> BoardLink:
    return BoardLink(Path("board.sock"), lambda: None)


def test_holds_presses_while_anybody_holds() -> None:
    board, holds = make_board(), make_holds()

    holds.hold(board, "attack", "1")
    holds.hold(board, "attack", "2")
    holds.let_go(board, "attack", "1")
    held_by_one = board.held
    holds.let_go(board, "attack", "2")

    assert frozenset({"attack"}) == held_by_one
    assert frozenset() == board.held


def test_holds_lets_go_of_all_when_a_browser_goes() -> None:
    board, holds = make_board(), make_holds()
    holds.hold(board, "attack", "1")
    holds.hold(board, "assist", "1")
    holds.hold(board, "seen", "2")

    holds.leave("1")

    assert frozenset({"seen"}) == board.held


def test_holds_ignores_a_release_by_somebody_else() -> None:
    board, holds = make_board(), make_holds()
    holds.hold(board, "attack", "1")

    holds.let_go(board, "attack", "2")

    assert frozenset({"attack"}) == board.held


def test_holds_nothing_for_a_browser_that_is_not_here() -> None:
    """It would stay pressed for ever: nobody would notice that the browser is gone."""
    board, holds = make_board(), make_holds()
    holds.leave("1")

    taken = [holds.hold(board, "attack", client) for client in ("", "1", "2")]

    assert [False, False, True] == taken
    holds.leave("2")
    assert frozenset() == board.held
