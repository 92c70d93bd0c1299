"""A second press within a minute of an answer: covered by it, and never unnoticed (N2, N3)."""

from __future__ import annotations

import pytest

from central.core import effects as do
from central.core.view import Acknowledge, Done, SetOnTheWay, UndoAcknowledge
from tests.support.central_town import JONES, PATEL, START, Town, only
from wire.kinds import AlertKind, AnswerState

ID = "00000010-7"


@pytest.fixture
def town(town: Town) -> Town:
    """Attack; answered after fourteen seconds; pressed again twenty seconds later."""
    town.press(7, AlertKind.ATTACK)
    town.later(14.4)
    town.act(Acknowledge(ID), JONES)
    town.later(20)
    return town


@pytest.mark.finding(6)
def test_state_names_the_press_that_was_answered_and_counts_from_it(town: Town) -> None:
    town.press(8, AlertKind.ATTACK, incident=7)

    answer = only(town.said, do.PublishIncident)[-1].state.answer
    assert answer is not None
    assert (ID, 14) == (answer.press, answer.after_s)
    assert (14, town.now_at) == (town.card().answered_after_s, town.card().pressed_again_at)


@pytest.mark.finding(6)
def test_second_press_can_be_acknowledged_too_and_its_presser_is_told(town: Town) -> None:
    """By whoever looks: also by the one who answered the first."""
    town.press(8, AlertKind.ATTACK, incident=7)
    town.later(9)

    assert isinstance(town.act(Acknowledge(ID, "attack"), JONES), Done)
    card = town.card()
    assert ("answered", town.now_at, 9, None) == (
        card.state,
        card.answered_at,
        card.answered_after_s,
        card.pressed_again_at,
    )
    assert 2 == len(only(town.said, do.SendAcknowledgement))
    answer = only(town.said, do.PublishIncident)[-1].state.answer
    assert answer is not None
    assert ("00000010-8", 9) == (answer.press, answer.after_s)


@pytest.mark.finding(6)
def test_acknowledging_a_second_press_does_not_call_back_who_is_on_the_way(town: Town) -> None:
    town.act(SetOnTheWay(ID, who=PATEL), JONES)
    town.press(8, AlertKind.ATTACK, incident=7)
    town.act(Acknowledge(ID), JONES)

    told = only(town.said, do.SendAcknowledgement)[-1]
    assert (AnswerState.ON_THE_WAY, "J Patel") == (told.state, told.name)
    card = town.card()
    assert ("on-the-way", PATEL, None) == (card.state, card.coming, card.pressed_again_at)


@pytest.mark.finding(6)
def test_setting_out_after_a_second_press_answers_it(town: Town) -> None:
    town.press(8, AlertKind.ATTACK, incident=7)
    town.act(SetOnTheWay(ID, who=PATEL), JONES)

    answer = only(town.said, do.PublishIncident)[-1].state.answer
    assert answer is not None
    assert ("00000010-8", None) == (answer.press, town.card().pressed_again_at)


@pytest.mark.finding(6)
def test_old_or_practised_press_after_an_answer_marks_nothing(town: Town) -> None:
    """What came late is no new call, and a drill no real one."""
    town.press(8, AlertKind.ATTACK, incident=7, drill=True)
    town.later(35)
    town.press(9, AlertKind.ATTACK, incident=7, at_s=int(START.timestamp()) - 100)

    assert ("answered", None) == (town.card().state, town.card().pressed_again_at)


@pytest.mark.finding(6)
def test_undoing_the_answer_to_the_second_press_leaves_the_first_ones(town: Town) -> None:
    """Whoever answered first has taken nothing back."""
    town.press(8, AlertKind.ATTACK, incident=7)
    again_at = town.now_at
    town.later(5)
    town.act(Acknowledge(ID), PATEL)
    town.later(3)
    town.act(UndoAcknowledge(ID), PATEL)

    card = town.card()
    assert ("answered", JONES, 14, again_at) == (
        card.state,
        card.answered_by,
        card.answered_after_s,
        card.pressed_again_at,
    )
    answer = only(town.said, do.PublishIncident)[-1].state.answer
    assert answer is not None
    assert (ID, "Ann Jones") == (answer.press, answer.name)


@pytest.mark.finding(6)
def test_undoing_it_after_a_press_that_the_first_answer_does_not_cover_asks_anew(town: Town) -> None:
    town.press(8, AlertKind.ATTACK, incident=7)
    town.later(38)
    town.act(Acknowledge(ID), PATEL)
    town.later(5)
    town.press(9, AlertKind.ATTACK, incident=7)
    town.act(UndoAcknowledge(ID), PATEL)

    assert ("unanswered", None) == (town.card().state, town.card().answered_by)


@pytest.mark.finding(6)
def test_who_is_on_the_way_may_say_so_again_after_a_second_press(town: Town) -> None:
    """It answers that press, and is no repetition of what was said before."""
    town.act(SetOnTheWay(ID, who=PATEL), JONES)
    town.press(8, AlertKind.ATTACK, incident=7)
    town.act(SetOnTheWay(ID, who=PATEL), JONES)

    assert ("on-the-way", PATEL, None) == (town.card().state, town.card().coming, town.card().pressed_again_at)
