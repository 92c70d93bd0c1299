"""N3, N4, N8, N10, N11: what the idle face says of the radio, and that it promises nothing that is not proven."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button, LedPattern, Part
from node.core.effects import SetLed, ShowScreen
from node.core.events import LinkDown, LinkUp, PartFailed, PartRecovered, Ticked
from node.core.incident import lifecycle
from node.core.radio.path import RadioPath, radio_path
from node.core.radio_state import PathTests, Radio
from node.core.screens import Dots, Face
from node.core.settings import RadioSettings
from node.core.turn import Turn
from tests.support.node_world import World, node_world

LICENSED = RadioSettings(licence="OFCOM-1")
ALERTS_GO = "Alerts go by radio"


def radio_world(
    radio: RadioSettings | None = LICENSED, *, is_online: bool = True, is_attack_silent: bool = False
) -> World:
    """A node with a radio, up, with central on duty or with no network."""
    world = node_world(radio, is_attack_silent=is_attack_silent)
    world.start()
    if is_online:
        world.online()
    return world


def knows(world: World, radio: Radio) -> None:
    """What the radio's rules would have written down."""
    world.state = replace(world.state, radio=radio)
    world.do(Ticked())


def passed(world: World) -> None:
    knows(world, replace(world.state.radio, tests=PathTests(passed_ms=world.now_ms, next_ms=world.now_ms + 10**7)))


def test_ready_marks_a_radio_whose_test_came_back() -> None:
    world = radio_world()
    assert "14:32  Net✓ Radio?" == world.screen.lines[0]
    passed(world)

    assert (("READY",), ("14:32  Net✓ Radio✓", "On duty: CCTV PCSO")) == (world.screen.headline, world.screen.lines)
    assert world.screen.is_dim


def test_no_radio_has_no_mark() -> None:
    assert "14:32  Net✓" == radio_world(None).screen.lines[0]


def test_radio_without_a_licence_says_that_it_listens() -> None:
    """N10: discreetly on the idle face, in words at the start."""
    world = radio_world(RadioSettings(), is_online=False)
    assert (Face.BOOT, "Radio: listens only") == (world.screen.face, world.screen.lines[1])

    world.online()
    assert "14:32  Net✓ Radio RX" == world.screen.lines[0]


def test_broken_radio_is_a_fault_of_a_node_that_is_ready() -> None:
    world = radio_world()
    passed(world)
    world.do(PartFailed(Part.RADIO, "no sound device"))
    assert (("READY",), ("Radio fault", "On duty: CCTV PCSO")) == (world.screen.headline, world.screen.lines)
    assert LedPattern.FAULT is world.state.led

    world.do(PartRecovered(Part.RADIO))
    assert ("READY",) == world.screen.headline


def test_failed_test_is_told_while_ready_stays() -> None:
    world = radio_world()
    knows(world, replace(world.state.radio, tests=PathTests(passed_ms=world.now_ms, is_failed=True, next_ms=10**7)))

    assert (Face.READY, ("READY",)) == (world.screen.face, world.screen.headline)
    assert ("Radio test failed", "On duty: CCTV PCSO") == world.screen.lines


def test_mark_goes_when_the_test_is_too_old() -> None:
    world = radio_world(RadioSettings("L", timing=replace(LICENSED.timing, path_test_valid_ms=20_000)))
    passed(world)
    world.do(world.status())
    world.after(20_000)

    assert "Net✓ Radio?" in world.screen.lines[0]


def test_radio_is_promised_no_longer_than_its_test_is_good_for() -> None:
    """Not until something else happens: cut off, nothing may for hours."""
    world = radio_world(is_online=False)
    knows(world, replace(world.state.radio, tests=PathTests(passed_ms=world.now_ms, next_ms=2**40)))
    good_until_ms = world.now_ms + LICENSED.timing.path_test_valid_ms
    world.at(good_until_ms - 1)
    assert ("BY RADIO",) == world.screen.headline

    world.at(good_until_ms)
    assert ("NO LINK",) == world.screen.headline


def test_network_down_promises_the_radio_after_a_test_that_passed() -> None:
    """docs/screen.md, *fault*."""
    world = radio_world()
    passed(world)
    world.do(LinkDown("gone"))
    assert (("BY RADIO",), ("Network down", ALERTS_GO)) == (world.screen.headline, world.screen.lines)

    world.do(LinkUp())
    assert ("Central not heard", ALERTS_GO) == world.screen.lines


@pytest.mark.parametrize("licence", ["", "OFCOM-1"])
@pytest.mark.parametrize("is_radio", [True, False])
@pytest.mark.parametrize("is_faulty", [True, False])
@pytest.mark.parametrize("is_failed", [True, False])
@pytest.mark.parametrize("age_ms", [None, 0, 10**9])
@pytest.mark.parametrize("link", [LinkDown("gone"), LinkDown("refused", is_permanent=True), LinkUp()])
@pytest.mark.parametrize("is_blocked", [True, False])
def test_alerts_go_by_radio_is_said_only_with_licence_and_a_test_that_passed_lately(
    *,
    licence: str,
    is_radio: bool,
    is_faulty: bool,
    is_failed: bool,
    age_ms: int | None,
    link: LinkUp | LinkDown,
    is_blocked: bool,
) -> None:
    """N3, N11: otherwise NO LINK, whatever else is or is not known."""
    world = radio_world(RadioSettings(licence) if is_radio else None)
    world.now_ms += 2 * 10**9
    world.do(link)
    if is_faulty:
        world.do(PartFailed(Part.RADIO, "x"))
    tests = PathTests(None if age_ms is None else world.now_ms - age_ms, is_failed=is_failed, next_ms=2**40)
    knows(
        world,
        replace(
            world.state.radio,
            tests=tests,
            blocked_since_ms=world.now_ms - 60_000 if is_blocked else None,
            is_busy=is_blocked,
        ),
    )
    may_say = licence and is_radio and not is_faulty and not is_failed and age_ms == 0 and not is_blocked
    if isinstance(link, LinkDown) and link.is_permanent:
        may_say = False
    if may_say:
        assert (("BY RADIO",), ALERTS_GO) == (world.screen.headline, world.screen.lines[1])
        assert RadioPath.READY is radio_path(world.state, world.now_ms)
    else:
        is_blocked_told = world.screen.lines[0] == "Radio channel blocked"
        do = "In danger: call 999" if is_blocked_told else "Use radio or call 999"
        headline = "REFUSED" if isinstance(link, LinkDown) and link.is_permanent else "NO LINK"
        assert ((headline,), do) == (world.screen.headline, world.screen.lines[1])
        assert is_blocked or not is_blocked_told
    assert Face.FAULT is world.screen.face


def test_blocked_channel_is_told_once_it_lasts() -> None:
    """N10: jamming is reported, a busy moment is not."""
    world = radio_world()
    passed(world)
    knows(world, replace(world.state.radio, blocked_since_ms=world.now_ms, is_busy=True))
    assert ("READY",) == world.screen.headline

    world.after(15_000)
    assert (("READY",), "Radio channel blocked") == (world.screen.headline, world.screen.lines[0])
    knows(world, replace(world.state.radio, blocked_since_ms=None))
    assert ("READY",) == world.screen.headline


@pytest.mark.parametrize("is_online", [True, False])
def test_radio_that_fails_at_a_silent_attack_does_not_show_it(*, is_online: bool) -> None:
    """N4: neither a fault nor a blocked channel nor a lost test; the LED as little as the face."""
    world = radio_world(is_online=is_online, is_attack_silent=True)
    world.after(20_000)
    passed(world)
    if is_online:
        world.do(world.status())
    before = world.screen
    world.hold(Button.ATTACK)
    world.log.clear()
    knows(world, replace(world.state.radio, blocked_since_ms=world.now_ms, is_busy=True))
    world.after(16_000)
    assert world.state.radio.blocked_since_ms is not None
    if is_online:
        world.do(world.status())
    world.do(PartFailed(Part.RADIO, "the key does not answer"))
    world.after(16_000)

    told = {replace(order.screen, dots=Dots.NONE, face=before.face) for order in world.of(ShowScreen, world.log)}
    assert told <= {before}
    assert [] == world.of(SetLed, world.log)


def test_radio_that_failed_before_a_silent_attack_stays_told() -> None:
    """N4: the idle face stays honest, and as it was."""
    world = radio_world(is_attack_silent=True)
    world.do(PartFailed(Part.RADIO, "x"))
    world.after(100)
    world.hold(Button.ATTACK)

    assert ("READY", "Radio fault") == (world.screen.headline[0], world.screen.lines[0])


def test_nobody_is_sent_to_a_radio_channel_that_is_blocked() -> None:
    """N3, N10: the alert is not delivered, and speaking would not help."""
    world = radio_world(is_online=False)
    world.hold(Button.ATTACK)
    turn = Turn(world.state, world.now_ms)
    lifecycle.overdue(turn, 1)
    world.state = turn.state
    knows(world, replace(world.state.radio, blocked_since_ms=world.now_ms - 20_000, is_busy=True))

    assert (Face.UNDELIVERED, "Radio busy: call 999") == (world.screen.face, world.screen.lines[1])
