"""N3, docs/screen.md: each face says plainly what is wrong and what to do; no mark needs to be explained first."""

from __future__ import annotations

import pytest

from node.core.controls import Button, Part
from node.core.events import LinkDown, PartFailed, PinChanged
from node.core.link.supervision import health
from tests.support.node_world import World
from wire.ids import NodeId
from wire.kinds import MemberResponse

BOOTS, CAFE = NodeId(0x11), NodeId(0x12)
TELL = "Tell co-ordinator"
_NAMED = {Part.LED: "Lamp", Part.CARD: "Memory card"}

pytestmark = pytest.mark.finding(11)


@pytest.mark.parametrize("part", [Part.SOUNDER, Part.LED, Part.RADIO, Part.CLOCK, Part.CARD])
def test_fault_with_which_alerts_go_out_says_ready_and_whom_to_tell(world: World, part: Part) -> None:
    """In turns with who is on duty."""
    world.do(PartFailed(part, "pins"))
    said = set()
    for _ in range(12):
        world.live(10_000)
        assert ("READY",) == world.screen.headline
        assert f"{_NAMED.get(part, part.value.capitalize())} fault" == world.screen.lines[0]
        said.add(world.screen.lines[1])

    assert {TELL, "On duty: CCTV PCSO"} == said


def test_unit_that_is_refused_says_so_and_whom_to_tell(offline: World) -> None:
    offline.do(LinkDown("refused", is_permanent=True))

    assert (("REFUSED",), (TELL, "Use radio or call 999")) == (offline.screen.headline, offline.screen.lines)
    assert "fault" == offline.face


def test_test_that_failed_says_so_and_whom_to_tell(offline: World) -> None:
    offline.tap(Button.TEST)
    offline.after(3_000)

    assert (("TEST", "FAILED"), ("", TELL)) == (offline.screen.headline, offline.screen.lines)


def test_several_alerts_of_neighbours_are_told_as_one_of_so_many(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5), world.alert_from(CAFE, 6))

    assert ("neighbour", "2 of 2 ▲Seen ►Coming") == (world.face, world.screen.lines[1])
    world.live(world.settings.timing.page_turn_ms)
    assert "1 of 2 ▲Seen ►Coming" == world.screen.lines[1]


def test_roles_on_duty_that_do_not_fit_are_counted_in_words(world: World) -> None:
    world.do(world.status(on_duty=("cctv", "pcso", "police", "duty-officer")))

    assert "On duty: CCTV, 3 more" == world.screen.lines[1]


def test_several_neighbours_who_are_coming_are_counted_in_words(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.response_from(BOOTS, 5, 1, MemberResponse.SEEN))
    assert "Seen by Boots" == world.screen.lines[1]
    world.do(world.response_from(CAFE, 5, 1, MemberResponse.SEEN))
    assert "Seen by 2 neighbours" == world.screen.lines[1]
    world.do(world.response_from(CAFE, 6, 1, MemberResponse.RESPONDING))
    assert "Cafe Nero coming" == world.screen.lines[1]
    world.do(world.response_from(BOOTS, 6, 1, MemberResponse.RESPONDING))

    assert "2 neighbours coming" == world.screen.lines[1]


def test_cancel_with_nothing_open_says_that_there_is_nothing_to_cancel(world: World) -> None:
    world.hold(Button.CANCEL)

    assert (("CANCEL",), "Nothing to cancel") == (world.screen.headline, world.screen.lines[0])


@pytest.mark.parametrize(
    ("button", "name"),
    [(Button.SEEN, "seen"), (Button.RESPONDING, "responding"), (Button.CANCEL, "cancel"), (Button.TEST, "test")],
)
def test_panel_and_central_are_told_which_button_is_stuck(world: World, button: Button, name: str) -> None:
    """Whoever brings a new one must know which."""
    world.do(PinChanged(button, is_down=True, is_initial=True))

    assert f"{name.upper()} stuck down" == world.screen.lines[0]

    assert [f"{name} stuck down"] == [fault.detail for fault in health(world.state, world.now_ms).faults]
