"""How the node is, for the program that updates its machine: it restarts only while nobody needs the node (F4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from node.core.controls import Button, Part
from node.core.events import LinkDown, LinkUp, OverEnded, OverStarted, PartFailed, PartRecovered, PinChanged, StopAsked
from node.core.link.vitals import vitals
from node.core.settings import RadioSettings, RadioTiming
from node.core.trial import Before, Kept, Settled
from tests.support.members import BOOTS, OURS
from tests.support.node_world import World
from wire.messages import encode_message
from wire.unit_files import Vitals, read_unit_file


def may_restart(world: World) -> bool:
    return vitals(world.state).may_restart


def pressed(world: World) -> None:
    world.tap(Button.ASSIST)


def test_node_in_order_is_armed_linked_and_may_restart(world: World) -> None:
    assert Vitals(
        node="00000010", boot_id="boot-1", written_at_ms=0, is_armed=True, is_linked=True, may_restart=True
    ) == vitals(world.state)


@pytest.mark.parametrize("button", list(Button))
def test_button_that_is_down_is_waited_for(world: World, button: Button) -> None:
    world.do(PinChanged(button, is_down=True))
    touched = may_restart(world)
    world.after(100)
    held = may_restart(world)

    assert (False, False) == (touched, held)


def test_button_that_is_stuck_is_named_and_holds_nothing_up(world: World) -> None:
    world.do(PinChanged(Button.SEEN, is_down=True, is_initial=True))
    world.live(120_000)
    said = read_unit_file(encode_message(vitals(world.state)), Vitals)

    assert (("seen",), (), True) == (said.stuck, said.faulty, said.may_restart)


def may_restart_while_pressed_received_and_closed(world: World) -> tuple[bool, bool, bool]:
    pressed(world)
    sent = may_restart(world)
    world.do(world.receipt(1))
    world.live(120_000)
    received = may_restart(world)
    world.do(world.says(OURS, 1, "closed", revision=3))
    return sent, received, may_restart(world)


def test_own_alert_is_waited_for_from_the_press_until_central_closes_it(world: World) -> None:
    assert (False, False, True) == may_restart_while_pressed_received_and_closed(world)


def test_press_that_is_not_on_the_disk_yet_is_waited_for(world: World) -> None:
    """An answer to a neighbour, too, whose alert has ended meanwhile."""
    world.do(world.alert_from(BOOTS, 3))
    world.disk_hangs = True
    world.tap(Button.RESPONDING)
    world.do(world.says(BOOTS, 3, "closed", revision=3))
    world.live(120_000)

    assert ((), 1) == (world.state.neighbours, len(world.state.drafts))
    assert not may_restart(world)


def test_press_that_the_disk_never_takes_is_waited_for_until_central_closes_it(world: World) -> None:
    """A system on trial that cannot write its store must go back, also if somebody has pressed there."""
    world.disk_full = world.is_numbered_unsaved = True

    assert (False, False, True) == may_restart_while_pressed_received_and_closed(world)
    assert 1 == len(world.state.drafts)


def test_frame_without_receipt_is_waited_for_when_its_alert_is_over(world: World) -> None:
    pressed(world)
    world.do(world.receipt(1))
    world.hold(Button.CANCEL)
    world.do(world.says(OURS, 1, "closed", revision=3))
    unreceipted = may_restart(world)
    world.do(world.receipt(2))

    assert (False, True) == (unreceipted, may_restart(world))


def test_alert_from_before_a_restart_is_waited_for(world: World) -> None:
    pressed(world)
    world.restart()

    assert not may_restart(world)


def test_neighbours_alert_on_the_panel_is_waited_for(world: World) -> None:
    world.do(world.alert_from(BOOTS, 3))
    shown = may_restart(world)
    world.do(world.says(BOOTS, 3, "closed", revision=3))
    world.live(120_000)

    assert (False, True) == (shown, may_restart(world))


def test_radio_that_transmits_is_waited_for() -> None:
    """An own path test, for which nothing else waits."""
    world = World(replace(World().settings, radio=RadioSettings("L-1", timing=RadioTiming(path_test_first_ms=400))))
    world.start()
    world.online()
    world.live(10_000)
    over = world.state.radio.over
    assert over is not None
    world.do(OverStarted(over.number))
    keyed = vitals(world.state)
    world.do(OverEnded(over.number, 2_000))

    assert (True, False) == (keyed.is_on_air, keyed.may_restart)
    assert (False, True) == (vitals(world.state).is_on_air, may_restart(world))


def test_settings_on_trial_are_waited_for() -> None:
    """A restart would take them back, and they would get the blame."""
    world = World(kept_settings=Kept(good=Settled(4, b"old"), newest=4).tried(Settled(7, b"new"), Before()))
    world.restart()
    world.online()
    on_trial = may_restart(world)
    world.live(60_000)

    assert ("taken", False, True) == (world.kept_settings.state, on_trial, may_restart(world))


def test_link_is_centrals_own_answer_and_not_the_brokers(offline: World) -> None:
    offline.do(LinkUp())
    connected = vitals(offline.state).is_linked
    offline.do(offline.status())
    answered = vitals(offline.state).is_linked
    offline.after(120_000)
    silent = vitals(offline.state).is_linked
    offline.do(offline.status(), LinkDown("cable"))

    assert (False, True, False, False) == (connected, answered, silent, vitals(offline.state).is_linked)


def test_parts_that_do_not_work_are_named_until_they_do(world: World) -> None:
    world.do(PartFailed(Part.OLED, "gone"), PartFailed(Part.BUTTONS, "pins"))
    failed = vitals(world.state).faulty
    world.do(PartRecovered(Part.OLED), PartRecovered(Part.BUTTONS))

    assert (("buttons", "oled"), ()) == (failed, vitals(world.state).faulty)


def _unstarted(world: World) -> None:
    world.state = World().state


@pytest.mark.parametrize("end", [_unstarted, lambda world: world.do(StopAsked())], ids=["not yet", "no more"])
def test_node_that_does_not_run_is_not_armed(world: World, end: Callable[[World], object]) -> None:
    end(world)

    assert (False, False) == ((said := vitals(world.state)).is_armed, said.may_restart)


def test_node_that_cannot_read_its_store_is_not_armed(world: World) -> None:
    world.state.is_store_read = False

    assert not vitals(world.state).is_armed
