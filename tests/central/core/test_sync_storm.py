"""Thousands of nodes ask at once when central starts anew: what is alike for all of them is worked out once (N3)."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import count

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core import outbound
from central.core.cards import state_of
from central.core.incident import Incident
from central.core.timing import Timing
from central.core.view import Acknowledge, Close
from tests.support.central_town import ARCADE, BAKERY, CORNER, CROWN, SCHEMES, START, Town, make_directory, only, opened
from wire.ids import NodeId
from wire.kinds import MEMBERS_WARNED, PRIORITY, AlertKind
from wire.messages import INCIDENTS_MAX, IncidentState, Sync, SyncAnswer

pytestmark = pytest.mark.finding(13)

KINDS = (AlertKind.ATTACK, AlertKind.ASSIST, AlertKind.SIGHTING, AlertKind.CALL_REQUEST)


def answer_to(town: Town, node: NodeId) -> SyncAnswer:
    """What a node is answered, a second after it asked last."""
    town.later(1)
    said = town.handle(ev.SyncArrived(node, Sync(boot_id="n1")))
    (answer,) = only(said, do.SendSyncAnswer)
    return answer.answer


def ask(town: Town, node: NodeId) -> tuple[IncidentState, ...]:
    """The incidents in it."""
    return answer_to(town, node).incidents


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of incidents whose state was worked out, since the list was cleared."""
    ids: list[str] = []
    made_of = state_of

    def noting(incident: Incident, *args: object) -> IncidentState:
        ids.append(incident.id.text)
        return made_of(incident, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(outbound, "state_of", noting)
    return ids


def test_state_is_worked_out_once_for_all_who_ask(town: Town, made: list[str]) -> None:
    for counter in range(1, 11):
        town.press(counter, AlertKind.ATTACK)
    made.clear()
    answers = [ask(town, BAKERY) for _ in range(5)]

    assert 10 == len(made)
    assert {answers[0]} == set(answers)


def test_state_is_worked_out_anew_when_it_or_the_directory_has_changed(town: Town, made: list[str]) -> None:
    for counter in range(1, 11):
        town.press(counter, AlertKind.ATTACK)
    ask(town, BAKERY)
    town.act(Acknowledge("00000010-7"))
    made.clear()
    assert {"00000010-7": "answered"} == {
        one.incident: one.state for one in ask(town, BAKERY) if one.state != "unanswered"
    }
    assert ["00000010-7"] == made

    renamed = make_directory(2)
    town.handle(ev.DirectoryChanged(opened(renamed), renamed))
    made.clear()
    ask(town, BAKERY)
    assert 10 == len(made)


@pytest.mark.parametrize("seed", range(8))
def test_answer_names_what_is_open_in_the_schemes_of_who_asks_most_urgent_first(seed: int) -> None:
    """Kept as they change, they come to the same as when they are looked for."""
    chance, counters, town = random.Random(seed), count(1), Town()
    nodes = (CORNER, BAKERY, CROWN)
    for _ in range(120):
        node = chance.choice(nodes)
        mine = [one for one in town.core._incidents.of(node) if one.is_open]
        if mine and chance.random() < 0.3:
            town.act(Close(chance.choice(mine).id.text, "Done"))
        elif mine and chance.random() < 0.4:
            of = chance.choice(mine).id.counter
            town.press(next(counters), chance.choice(KINDS), node=node, incident=of)
        else:
            town.press(next(counters), chance.choice(KINDS), node=node)

    for node in nodes:
        shown = [one.incident for one in ask(town, node) if one.node != f"{node:08x}"]
        others = [
            one
            for one in town.core._incidents.all()
            if one.is_open
            and one.kind in MEMBERS_WARNED
            and one.id.node != node
            and set(one.schemes) & set(SCHEMES[node])
        ]
        others.sort(key=lambda one: (PRIORITY[one.kind], -one.revision))
        assert [one.id.text for one in others] == shown


def test_answer_has_its_bound_also_in_a_flood(town: Town) -> None:
    for counter in range(1, INCIDENTS_MAX + 50):
        town.press(counter, AlertKind.ATTACK)

    assert INCIDENTS_MAX == len(ask(town, BAKERY)) == len(ask(town, CORNER))


def test_answer_says_which_question_it_answers_and_when_and_what_was_heard_of_who_asks(town: Town) -> None:
    """To the millisecond, as times are written."""
    town.now_at += timedelta(microseconds=123_456)
    before = answer_to(town, BAKERY)
    town.later(1)
    said = town.handle(ev.SyncArrived(CROWN, Sync(boot_id="n1", nonce="0123456789abcdef")))

    (order,) = only(said, do.SendSyncAnswer)
    at = town.now_at.replace(microsecond=123_000)
    assert ("0123456789abcdef", at, 0) == (order.answer.nonce, order.answer.at, order.answer.counter_floor)
    assert before.sequence < order.answer.sequence


@pytest.mark.parametrize(("count", "is_more"), [(INCIDENTS_MAX - 1, False), (INCIDENTS_MAX + 1, True)])
def test_answer_says_whether_it_names_all(town: Town, count: int, *, is_more: bool) -> None:
    """What a complete answer does not name, the node takes for closed."""
    for counter in range(1, count + 1):
        town.press(counter, AlertKind.ATTACK)

    assert {is_more} == {answer_to(town, node).more for node in (CORNER, BAKERY)}


def test_nodes_that_ask_at_once_are_answered_over_some_seconds_and_none_is_forgotten(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "SYNC_STATES_PER_TICK", 2)
    town.press(7, AlertKind.ATTACK)
    at_once = [
        order.node
        for node in (CORNER, BAKERY, ARCADE)
        for order in only(town.handle(ev.SyncArrived(node, Sync(boot_id="n1"))), do.SendSyncAnswer)
    ]
    later = [[order.node for order in only(town.later(1), do.SendSyncAnswer)] for _ in range(3)]

    assert ([CORNER], [[BAKERY], [ARCADE], []]) == (at_once, later)


def test_state_says_until_when_it_holds_to_who_asks_and_to_all(town: Town) -> None:
    """A node that hears nothing for longer must not go on warning of it."""
    town.press(7, AlertKind.ATTACK)
    published = only(town.said, do.PublishIncident)[-1].state
    (asked,) = ask(town, BAKERY)

    valid = Timing().incident_valid
    assert (START + valid, town.now_at + valid) == (published.expires_at, asked.expires_at)
    assert ("hart", "hart") == (published.scheme, asked.scheme)


def test_state_that_cannot_be_told_costs_only_itself(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else no node would be answered any more, and all would take central for lost."""
    made_of = state_of

    def failing(incident: Incident, *args: object) -> IncidentState:
        if incident.id.node == CORNER:
            raise ValueError("a fault of ours")
        return made_of(incident, *args)  # type: ignore[arg-type]

    town.press(7, AlertKind.ATTACK)
    town.press(8, AlertKind.ATTACK, node=ARCADE)
    monkeypatch.setattr(outbound, "state_of", failing)
    said = town.core.handle(ev.SyncArrived(BAKERY, Sync(boot_id="n1")), town.now_at)

    answers = [order.answer for order in only(said, do.SendSyncAnswer)]
    assert [["00000013-8"]] == [[state.incident for state in answer.incidents] for answer in answers]
    assert answers[0].more, "what it does not name is not closed"


@pytest.mark.parametrize("flood", [3, INCIDENTS_MAX, INCIDENTS_MAX + 50])
def test_flood_of_one_hides_no_attack_of_another_from_who_asks(town: Town, flood: int) -> None:
    """N2: a neighbour that was down when it was pressed learns of it from the answer alone."""
    town.press(7, AlertKind.ATTACK, node=BAKERY)
    for counter in range(100, 100 + flood):
        town.press(counter, AlertKind.ATTACK)
    named = ask(town, ARCADE)

    assert "00000011-7" in {state.incident for state in named}
    assert min(flood + 1, INCIDENTS_MAX) == len(named)
