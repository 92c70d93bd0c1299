"""Who did what, when: each act keeps its own name (C1), and nobody is said to come who stays at a desk."""

from __future__ import annotations

import pytest

from central.core import effects as do
from central.core.journal import ActionEntry, Recall
from central.core.view import Acknowledge, Close, Done, Person, Refused, SetOnTheWay
from tests.support.central_town import JONES, PATEL, START, Town, only
from wire.ids import FrameId
from wire.kinds import AlertKind, AnswerState, Role
from wire.messages import Answer

ID = "00000010-7"


@pytest.fixture
def town(town: Town) -> Town:
    town.press(7)
    return town


@pytest.mark.finding(5)
def test_cctv_operator_is_never_said_to_come(town: Town) -> None:
    """N3: COMING must be somebody who comes."""
    assert isinstance(town.act(SetOnTheWay(ID), JONES), Refused)
    assert [] == [o for o in only(town.said, do.SendAcknowledgement) if o.state is AnswerState.ON_THE_WAY]


@pytest.mark.finding(5)
def test_shop_is_told_who_comes_and_not_who_said_so(town: Town) -> None:
    """N3: the PCSO comes; the operator only says so, and stays the one who answered."""
    town.act(Acknowledge(ID), JONES)
    town.later(20)

    assert isinstance(town.act(SetOnTheWay(ID, who=PATEL), JONES), Done)
    told = only(town.said, do.SendAcknowledgement)[-1]
    assert (AnswerState.ON_THE_WAY, Role.PCSO, "J Patel") == (told.state, told.role, told.name)
    state = only(town.said, do.PublishIncident)[-1].state
    answer = Answer(role="pcso", name="Jaswinder Patel", at=town.now_at, press=ID, after_s=0)
    assert ("on-the-way", answer) == (state.state, state.answer)
    card = town.card()
    assert (JONES, START) == (card.answered_by, card.answered_at)
    assert (PATEL, town.now_at, JONES) == (card.coming, card.coming_at, card.coming_said_by)
    line = card.history[-1]
    assert ("on-the-way", "PCSO on duty Jaswinder Patel", JONES) == (line.what, line.text, line.by)


@pytest.mark.finding(5)
@pytest.mark.parametrize(
    "who", [JONES, Person("co-ordinator", "M Reed"), Person("burglar", "A"), Person("police", " \u202e ")]
)
def test_who_comes_has_a_role_that_goes_out_and_a_name(town: Town, who: Person) -> None:
    assert isinstance(town.act(SetOnTheWay(ID, who=who), PATEL), Refused)
    assert "unanswered" == town.card().state


@pytest.mark.finding(5)
def test_operator_whom_an_older_version_let_set_out_has_answered_and_nobody_comes(town: Town) -> None:
    """N3: what was kept on the day of the upgrade must not read COMING either."""
    entry = ActionEntry(len(town.disk) + 1, "on-the-way", FrameId.parse(ID), JONES, "", town.now_at)
    card = Town(Recall(journal=(*town.disk, entry))).card()

    assert ("answered", JONES, None) == (card.state, card.answered_by, card.coming)
    assert ("acknowledged", "", JONES) == (card.history[-1].what, card.history[-1].text, card.history[-1].by)


@pytest.mark.finding(5)
def test_nobody_sets_out_for_a_test(town: Town) -> None:
    town.press(9, AlertKind.TEST)

    assert Refused("No one goes out for a test.") == town.act(SetOnTheWay("00000010-9", who=PATEL))


@pytest.mark.finding(5)
def test_somebody_else_may_be_chosen_to_come(town: Town) -> None:
    """The first one was called away."""
    brown = Person("duty-sergeant", "Al Brown")
    town.act(SetOnTheWay(ID, who=PATEL), JONES)
    town.act(SetOnTheWay(ID, who=PATEL), JONES)
    town.act(SetOnTheWay(ID, who=brown), JONES)

    assert ["J Patel", "A Brown"] == [order.name for order in only(town.said, do.SendAcknowledgement)]
    assert (brown, JONES) == (town.card().coming, town.card().answered_by)


@pytest.mark.finding(5)
def test_who_comes_is_known_after_a_restart_also_from_an_old_journal(town: Town) -> None:
    """Journals of before carry no name beside the actor's."""
    town.act(SetOnTheWay(ID, who=PATEL), JONES)
    brown = Person("duty-sergeant", "Al Brown")
    old = ActionEntry(town.disk[-1].entry + 1, "on-the-way", town.disk[-1].incident, brown, "", START)

    assert PATEL == Town(Recall(journal=tuple(town.disk))).card().coming
    assert brown == Town(Recall(journal=(*town.disk, old))).card().coming


@pytest.mark.finding(7)
def test_closed_incident_keeps_each_act_with_its_own_name_and_time(town: Town) -> None:
    town.act(Acknowledge(ID), PATEL)
    town.later(300)
    town.act(Close(ID, "two detained"), JONES)

    card = town.card()
    assert (PATEL, START) == (card.answered_by, card.answered_at)
    assert (JONES, town.now_at, "two detained") == (card.closed_by, card.closed_at, card.outcome)
    told = only(town.said, do.SendAcknowledgement)[-1]
    assert (AnswerState.CLOSED, Role.CCTV, "A Jones") == (told.state, told.role, told.name)


@pytest.mark.finding(7)
def test_press_on_a_closed_incident_forgets_who_closed_it(town: Town) -> None:
    town.act(SetOnTheWay(ID, who=PATEL), JONES)
    town.act(Close(ID, "all well"), JONES)

    town.press(8, incident=7)

    card = town.card()
    assert (None, None, None, None) == (card.closed_by, card.closed_at, card.coming, card.answered_by)
