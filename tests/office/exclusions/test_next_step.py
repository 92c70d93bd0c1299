from __future__ import annotations

import msgspec
import pytest

from office.exclusions.rules.life import MOVES, Case, Mover, State
from office.exclusions.rules.next_step import GRAVE, next_move

CORA = Mover(1, frozenset({"co-ordinator"}))


@pytest.mark.parametrize(
    ("state", "move"),
    [
        ("nominated", "check"),
        ("checked", "open-vote"),
        ("voting", None),
        ("decided", "issue"),
        ("issued", "serve"),
        ("rejected", None),
        ("revoked", None),
    ],
)
def test_next_move_of_a_co_ordinator(state: State, move: str | None) -> None:
    assert next_move(Case(state), CORA, is_stale=False) == move


def test_next_move_for_an_under_18_is_the_second_approval_if_one_may() -> None:
    case = Case("decided", checked_by=2, nominated_by=3, is_minor=True)

    assert next_move(case, CORA, is_stale=False) == "approve-minor"
    assert next_move(msgspec.structs.replace(case, checked_by=1), CORA, is_stale=False) is None


def test_next_move_with_other_premises_is_a_new_version() -> None:
    assert next_move(Case("served", is_newest_served=True), CORA, is_stale=True) == "reissue"
    assert next_move(Case("served", is_newest_served=True), CORA, is_stale=False) is None


def test_next_move_with_an_open_appeal_is_nobodys_to_suggest() -> None:
    assert next_move(Case("issued", has_open_appeal=True), CORA, is_stale=True) is None


def test_next_move_of_a_pcso_is_to_serve() -> None:
    assert next_move(Case("issued"), Mover(2, frozenset({"pcso"})), is_stale=True) == "serve"


def test_grave_moves_are_moves() -> None:
    assert MOVES.keys() > GRAVE
