"""N5: a unit that was struck off warns nobody, whatever is still open of it at central."""

from __future__ import annotations

import pytest

from node.core.events import DirectoryReceived
from tests.support.node_world import World
from wire.ids import NodeId

pytestmark = pytest.mark.finding(13)
BOOTS, THIEF = NodeId(0x11), NodeId(0x14)


def test_state_of_a_revoked_units_alert_stays_off_the_panel(world: World) -> None:
    world.do(world.says(THIEF, 5, "unanswered"))

    assert "ready" == world.face
    assert () == world.state.neighbours


def test_alert_taken_off_with_its_sender_does_not_come_back_with_centrals_next_word(world: World) -> None:
    world.panel_answers = False  # Nobody has seen it yet.
    world.do(world.alert_from(BOOTS, 5))
    assert "neighbour" == world.face

    revoked = world.directory(2, boots=world.sender(BOOTS, "Boots", "Gallowtree Gate", 1, is_revoked=True))
    world.do(DirectoryReceived(revoked, b"2"))
    world.do(world.says(BOOTS, 5, "answered", answer=world.answer()))
    assert "ready" == world.face


def test_alert_of_premises_that_our_directory_does_not_know_yet_is_shown(world: World) -> None:
    world.do(world.says(NodeId(0x77), 5, "unanswered"))

    assert "neighbour" == world.face
