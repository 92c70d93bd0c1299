"""A breach or a sighting about a person: the reference alone, and for the people of its one scheme (ADR 0036)."""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.journal import Recall
from central.core.rights import Scope
from central.core.view import Card
from tests.central.core.test_sight import BOTH, HART, PUB_WATCH, Watched
from tests.support.central_town import ARCADE, CORNER, Town, only
from wire.frames import Alert
from wire.kinds import AlertKind, LeftWhenAsked
from wire.messages import IncidentState, Sync

NONCE: Final = "50" * 16


def breach(town: Town, counter: int = 7, **more: object) -> Alert:
    about = {"about": 42, "left": LeftWhenAsked.NO, **more}
    return replace(town.alert(counter, CORNER, AlertKind.BREACH, schemes=(1,)), **about)  # type: ignore[arg-type]


def told(town: Town) -> list[IncidentState]:
    return [order.state for order in only(town.said, do.PublishIncident)]


def person_of(card: Card) -> tuple[str, int, str]:
    return card.person, card.person_scheme, card.left


def test_card_says_the_reference_and_whether_they_left() -> None:
    town = Town()
    town.send(breach(town))

    assert ("HART-0042", 1, "no") == person_of(town.card())
    assert ("breach", 3) == (town.card().kind, town.card().priority)
    assert ["person 0042, left when asked: no"] == [line.about for line in town.card().history]


def test_sighting_says_nothing_of_leaving() -> None:
    town = Town()
    town.send(replace(breach(town), kind=AlertKind.SIGHTING, left=LeftWhenAsked.NOT_ASKED))

    assert ("HART-0042", 1, "") == person_of(town.card())
    assert (42, None) == (told(town)[-1].person, told(town)[-1].left)


def test_members_are_told_the_number_and_the_answer() -> None:
    town = Town()
    town.send(breach(town))

    assert [("hart", 42, "no")] == [(state.scheme, state.person, state.left) for state in told(town)]


def test_press_about_nobody_says_of_nobody() -> None:
    town = Town()
    town.press(7)

    assert ("", 0, "") == person_of(town.card())
    assert (None, None) == (told(town)[-1].person, told(town)[-1].left)


def test_newest_press_says_whether_they_left_whatever_order_they_come_in() -> None:
    town = Town()
    town.send(breach(town, 9, incident=7, left=LeftWhenAsked.YES))
    town.send(breach(town, 7))
    town.send(breach(town, 8, incident=7, left=LeftWhenAsked.NOT_ASKED))

    assert ("HART-0042", "yes") == (town.card().person, town.card().left)


def test_incident_of_two_schemes_is_about_nobody() -> None:
    """No node of ours sends that; a hostile one must not have Pub Watch read HART's number as its own."""
    town = Town()
    town.send(replace(breach(town), sender=ARCADE))
    town.send(replace(town.alert(8, ARCADE, AlertKind.ASSIST, incident=7)))

    assert (1, 2) == town.card("00000013-7").scheme_numbers
    assert ("", 0, "") == person_of(town.card("00000013-7"))
    assert {None} == {state.person for state in told(town) if state.revision == told(town)[-1].revision}


def test_people_of_the_premises_other_scheme_see_the_alert_and_not_who() -> None:
    watched = Watched(HART, PUB_WATCH, BOTH)
    watched.town.send(replace(breach(watched.town), sender=ARCADE))

    cards = {scope: watched.cards(scope)["00000013-7"] for scope in (HART, PUB_WATCH, BOTH)}
    assert ["HART-0042", "", "HART-0042"] == [cards[scope].person for scope in (HART, PUB_WATCH, BOTH)]
    assert "0042" not in watched.text(PUB_WATCH)
    assert "left" not in cards[PUB_WATCH].history[0].about


def test_engineer_of_the_persons_scheme_who_sees_alerts_of_the_other_is_not_told_who() -> None:
    """A fleet engineer of HART looks after its units, and answers alerts for Pub Watch alone."""
    scope = Scope(alerts=frozenset({2}), units=frozenset({1}))
    watched = Watched(scope)
    watched.town.send(replace(breach(watched.town), sender=ARCADE))

    assert ("", 0, "") == person_of(watched.cards(scope)["00000013-7"])
    assert [] == [word for word in ("0042", "left when") if word in watched.text(scope)]


def test_incident_that_came_to_be_of_two_schemes_has_no_number_in_its_history() -> None:
    scope = Scope(alerts=frozenset({1, 2}), units=frozenset({1}))
    watched = Watched(scope)
    watched.town.send(replace(breach(watched.town), sender=ARCADE))
    watched.town.send(replace(watched.town.alert(8, ARCADE, AlertKind.ASSIST, incident=7)))

    assert "0042" not in str(watched.cards(scope)["00000013-7"].history)


def test_person_is_there_again_after_a_restart() -> None:
    town = Town()
    town.send(breach(town))
    again = Town(Recall(journal=tuple(town.disk), last_entry=town.disk[-1].entry))

    assert ("HART-0042", 1, "no") == person_of(again.card())


def test_answer_to_a_question_says_that_persons_are_understood() -> None:
    """Until a node reads that, it sends a breach without the person."""
    town = Town()
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce=NONCE)))
    town.later(2)

    assert [("person",)] == [order.answer.speaks for order in only(town.said, do.SendSyncAnswer)]


@pytest.mark.parametrize("number", [1, 42, 9_999, 10_000, 2**32 - 1])
def test_reference_is_written_as_the_office_writes_it(number: int) -> None:
    town = Town()
    town.send(breach(town, about=number))

    assert f"HART-{number:04}" == town.card().person
