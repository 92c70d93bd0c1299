"""What waited at the broker while the air told more must take nothing back when the network returns (N3, N9)."""

from __future__ import annotations

from node.core.controls import Button
from node.core.events import IncidentReceived, LinkUp
from tests.support.node_world import StateWord, World
from wire.ids import NodeId
from wire.kinds import AnswerState
from wire.messages import SyncAnswer

OURS = NodeId(0x10)


def said(world: World, state: StateWord, revision: int) -> IncidentReceived:
    answer = world.answer() if state in ("answered", "on-the-way") else None
    return world.says(OURS, 1, state, revision=revision, kind="assist", answer=answer)


def told(world: World) -> list[str]:
    return [dict(fact.detail)["state"] for fact in world.facts("acknowledged")]


def test_states_older_than_the_answer_over_the_air_take_nothing_back(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))

    world.do(said(world, "unanswered", 1))
    assert "answered" == world.face
    world.do(said(world, "answered", 2))

    assert ["answered"] == told(world)


def test_what_the_air_has_closed_stays_closed_while_older_states_arrive(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1), world.ack(1, AnswerState.CLOSED))

    words: tuple[StateWord, ...] = ("unanswered", "answered", "on-the-way", "closed")
    for revision, state in enumerate(words, 1):
        world.do(said(world, state, revision))
        assert "closed" == world.face

    assert ["answered"] == told(world)
    assert 1 == len(world.facts("closed"))


def test_state_that_is_newer_than_the_answer_over_the_air_counts(world: World) -> None:
    """Once central's states have caught up, each of them counts again."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))

    world.do(said(world, "answered", 2), said(world, "unanswered", 3))

    assert "received" == world.face
    assert ["answered", "unanswered"] == told(world)


def test_answer_to_a_sync_is_how_it_is_now(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1))
    world.after(10, LinkUp())  # Asked after that was heard.

    state = world.incident_state(OURS, 1, "unanswered", revision=4, kind="assist")
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=world.counter, incidents=(state,))))

    assert "received" == world.face


def test_answer_to_a_sync_says_how_it_was_when_that_was_asked(world: World) -> None:
    """Another question had gone out since: the shop read that the person's answer was taken back (N3)."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1))
    world.after(10, LinkUp())
    state = world.incident_state(OURS, 1, "unanswered", revision=4, kind="assist")
    answer = world.answers(SyncAnswer(boot_id="central-1", counter_floor=world.counter, incidents=(state,)))
    world.do(world.ack(1))
    world.after(10, LinkUp())

    world.do(answer)

    assert "answered" == world.face
    assert ["answered"] == told(world)


def test_answer_to_a_sync_counts_though_its_state_was_told_before(world: World) -> None:
    """The same revision waited at the broker: then it was overtaken, now it is how things are."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1), said(world, "unanswered", 4))
    assert "answered" == world.face
    world.after(10, LinkUp())

    state = world.incident_state(OURS, 1, "unanswered", revision=4, kind="assist")
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=world.counter, incidents=(state,))))

    assert "received" == world.face


def test_acknowledgement_that_is_said_again_does_not_come_back(world: World) -> None:
    """N3: somebody took it back since."""
    world.hold(Button.ATTACK)
    said = world.ack(1)
    world.do(world.receipt(1), said)
    world.do(world.says(OURS, 1, "answered", answer=world.answer()), world.says(OURS, 1, "unanswered", revision=2))
    assert "received" == world.face

    world.do(said)

    assert "received" == world.face
