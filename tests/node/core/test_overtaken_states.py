# ruff: noqa: ANN401  # the bench lives in conftest.py, which cannot be imported
"""What waited at the broker while the air told more must take nothing back when the network returns (N3, N9)."""

from __future__ import annotations

from typing import Any

from node.core.controls import Button
from node.core.events import LinkUp
from wire.ids import NodeId
from wire.kinds import AnswerState
from wire.messages import SyncAnswer

OURS = NodeId(0x10)


def said(world: Any, state: str, revision: int) -> Any:
    answer = {"answer": world.answer()} if state in ("answered", "on-the-way") else {}
    return world.says(OURS, 1, state, revision=revision, kind="assist", **answer)


def told(world: Any) -> list[str]:
    return [dict(fact.detail)["state"] for fact in world.facts("acknowledged")]


def test_states_older_than_the_answer_over_the_air_take_nothing_back(world: Any) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))

    world.do(said(world, "unanswered", 1))
    assert "answered" == world.face
    world.do(said(world, "answered", 2))

    assert ["answered"] == told(world)


def test_what_the_air_has_closed_stays_closed_while_older_states_arrive(world: Any) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1), world.ack(1, AnswerState.CLOSED))

    for revision, state in enumerate(("unanswered", "answered", "on-the-way", "closed"), 1):
        world.do(said(world, state, revision))
        assert "closed" == world.face

    assert ["answered"] == told(world)
    assert 1 == len(world.facts("closed"))


def test_state_that_is_newer_than_the_answer_over_the_air_counts(world: Any) -> None:
    """Once central's states have caught up, each of them counts again."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))

    world.do(said(world, "answered", 2), said(world, "unanswered", 3))

    assert "received" == world.face
    assert ["answered", "unanswered"] == told(world)


def test_answer_to_a_sync_is_how_it_is_now(world: Any) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))
    world.after(10, LinkUp())  # Asked after that was heard.

    state = world.incident_state(OURS, 1, "unanswered", revision=4, kind="assist")
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=world.counter, incidents=(state,))))

    assert "received" == world.face
