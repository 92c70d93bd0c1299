"""N3: what is known, and how old it is; nothing that somebody who was struck off once said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.core.controls import Button
from node.core.events import DirectoryReceived, LinkDown
from tests.support.members import OURS
from tests.support.node_world import World
from wire.ids import NodeId
from wire.messages import MemberAnswer

CAFE = NodeId(0x12)

pytestmark = pytest.mark.finding(10)


def test_shop_that_is_cut_off_says_for_how_long_it_has_heard_nothing(world: World) -> None:
    """Somebody may have answered meanwhile."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    assert "No one answered yet" == world.screen.lines[1]
    world.live(20_000)
    assert "No one answered yet" == world.screen.lines[1]

    world.do(LinkDown("gone"))
    world.after(38_000)
    assert (("RECEIVED",), "No news for 38 s") == (world.screen.headline, world.screen.lines[1])
    world.after(1_000)
    assert "No news for 39 s" == world.screen.lines[1]


def test_shop_of_which_central_has_fallen_silent_says_so_after_two_missed_heartbeats(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.status())
    world.after(25_000)

    assert "No news for 25 s" == world.screen.lines[1]


def test_neighbour_that_was_struck_off_is_not_coming(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.response_from(CAFE, 5, 1))
    assert "Cafe Nero coming" == world.screen.lines[1]

    revoked = world.directory(2, cafe=world.sender(CAFE, "Cafe Nero", "Market Place", 1, is_revoked=True))
    world.do(DirectoryReceived(revoked, b""))
    assert "No one answered yet" == world.screen.lines[1]


def test_central_does_not_bring_a_neighbour_back_that_was_struck_off(world: World) -> None:
    revoked = world.directory(2, cafe=world.sender(CAFE, "Cafe Nero", "Market Place", 1, is_revoked=True))
    world.do(DirectoryReceived(revoked, b""))
    world.hold(Button.ATTACK)
    at = world.wall() + timedelta(seconds=1)
    member = MemberAnswer(node=f"{CAFE:08x}", premises="Cafe Nero", response="responding", at=at)
    world.do(world.receipt(1), world.says(OURS, 1, members=(member,)))

    assert "No one answered yet" == world.screen.lines[1]
