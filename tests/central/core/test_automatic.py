"""N12: what Watchlink answers by itself is nobody's word, and nobody can be named so."""

from __future__ import annotations

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.journal import ActionEntry, ActionKind, Recall
from central.core.view import Acknowledge, Person, Refused, StartDuty
from tests.support.central_town import CORNER, Town, only
from wire.ids import FrameId
from wire.kinds import AlertKind, AnswerState, Role
from wire.messages import Health

SEVEN = FrameId(CORNER, 7)
pytestmark = pytest.mark.finding(9)


def speaks(town: Town, *capabilities: str) -> None:
    health = Health(state="armed", boot_id="n1", directory_serial=1, speaks=capabilities)
    town.handle(ev.HealthArrived(CORNER, health, is_signed=True))


def test_test_is_answered_by_watchlink_itself(town: Town) -> None:
    speaks(town, "automatic")
    town.press(7, AlertKind.TEST)
    said = town.later(1)

    by = town.card().answered_by
    assert by is not None
    assert "watchlink" == by.role
    assert [(CORNER, SEVEN, None, AnswerState.ANSWERED)] == [
        (order.node, order.target, order.role, order.state) for order in only(said, do.SendAcknowledgement)
    ]


def test_older_node_is_answered_as_before(town: Town) -> None:
    speaks(town)
    town.press(7, AlertKind.TEST)

    assert [(Role.CO_ORDINATOR, "automatic")] == [
        (order.role, order.name) for order in only(town.later(1), do.SendAcknowledgement)
    ]


@pytest.mark.parametrize("name", ["automatic", "Automatic", " WATCHLINK ", "W\u0430tchlink itself", "central"])
@pytest.mark.parametrize("role", ["co-ordinator", "pcso"])
def test_nobody_can_be_named_so(town: Town, role: str, name: str) -> None:
    town.press(7)

    for action in (StartDuty(), Acknowledge("00000010-7")):
        answer = town.act(action, Person(role, name))
        assert isinstance(answer, Refused)
        assert "name" in answer.reason


def test_nobody_can_have_that_role(town: Town) -> None:
    assert isinstance(town.act(StartDuty(), Person("watchlink", "Ann")), Refused)


def test_answer_of_an_older_journal_is_watchlinks_own(town: Town) -> None:
    """It was written in the name of a co-ordinator, whom the page would show as having answered and closed."""
    former, own = Person("co-ordinator", "automatic"), Person("watchlink", "automatic")
    town.press(7, AlertKind.TEST)
    town.press(8, AlertKind.ATTACK)
    acts: tuple[tuple[ActionKind, int], ...] = (("acknowledged", 7), ("closed", 7), ("acknowledged", 8))
    old = [
        ActionEntry(number, kind, FrameId(CORNER, incident), former, "", town.now_at)
        for number, (kind, incident) in enumerate(acts, start=10)
    ]
    again = Town(Recall(journal=(*town.disk, *old), last_entry=12), now_at=town.now_at)

    test, attack = again.card(), again.card("00000010-8")
    assert (own, own) == (test.answered_by, test.closed_by)
    assert {None, own} == {line.by for line in test.history}
    assert former == attack.answered_by, "at a real alert it was a person"
