"""N11: a copied card shows as what it is, and a member that was struck off as nothing."""

from __future__ import annotations

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.view import NodeLine
from tests.support.central_town import ARCADE, CORNER, Town, make_directory, only, opened
from wire.frames import Response
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import MemberResponse
from wire.messages import Health

pytestmark = pytest.mark.finding(10)


def beat(town: Town, boot_id: str, node: NodeId = CORNER) -> None:
    town.handle(ev.HealthArrived(node, Health(state="armed", boot_id=boot_id, directory_serial=1)))


def line(town: Town, node: NodeId = CORNER) -> NodeLine:
    return next(entry for entry in town.board().nodes if entry.node == node_text(node))


def test_two_boots_that_alternate_are_two_cards_and_no_restarts(town: Town) -> None:
    for _ in range(17):
        for boot_id in ("n1", "n2"):
            beat(town, boot_id)
            town.later(2)
    seen = line(town)

    assert "fault" == seen.state
    assert "DUPLICATE IDENTITY" in seen.faults[0]
    assert "runbook" in seen.faults[0], "and what to do"
    assert 1 == seen.restarts, "the second card's"


def test_duplicate_is_over_ten_minutes_after_the_other_card_was_last_heard(town: Town) -> None:
    for boot_id in ("n1", "n2", "n1", "n2", "n1"):
        beat(town, boot_id)
        town.later(2)
    assert "fault" == line(town).state
    for _ in range(61):
        town.later(10)
        beat(town, "n1")

    assert ("ok", ()) == (line(town).state, line(town).faults)


def test_late_word_of_the_boot_before_is_no_second_card(town: Town) -> None:
    for boot_id in ("n1", "n2", "n1", "n2", "n3"):
        if boot_id != "n1" or not line(town).restarts:
            beat(town, boot_id)
        town.later(2)

    assert "ok" == line(town).state


def test_member_that_is_struck_off_is_not_coming_any_more(town: Town) -> None:
    town.press(7)
    town.send(Response(ARCADE, 3, int(town.now_at.timestamp()), FrameId(CORNER, 7), MemberResponse.RESPONDING, (1,)))
    assert [node_text(ARCADE)] == [member.node for member in town.card("00000010-7").members]

    data = make_directory(2, revoked=(ARCADE,))
    said = town.handle(ev.DirectoryChanged(opened(data), data))

    assert () == town.card("00000010-7").members
    assert [()] == [order.state.members for order in only(said, do.PublishIncident)]
