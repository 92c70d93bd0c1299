"""Settings from the fleet in the core: an alert goes before them, and a trial ends well or is taken back (ADR 0032)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button, Part
from node.core.effects import KeepSettings, PublishHealth, Stop, TransmitOver
from node.core.events import (
    KeyProven,
    LinkDown,
    OverEnded,
    OverStarted,
    PartFailed,
    PartRecovered,
    PinChanged,
    SettingsChecked,
    SettingsReceived,
    StopAsked,
)
from node.core.settings import RadioSettings
from node.core.state import stuck_buttons
from node.core.trial import CUT_SHORT, Before, Kept, Settled
from tests.support.members import BOOTS, OURS
from tests.support.node_world import World
from wire.ids import NodeId
from wire.messages import SettingsReport
from wire.node_settings import SignedSettings

STEADY_MS, TRIAL_MS = 20_000, 300_000


def came(serial: int = 7, node: NodeId = OURS) -> SettingsReceived:
    return SettingsReceived(SignedSettings(node, serial, b"sealed %d" % serial, None, ""))


def is_stopping(world: World) -> bool:
    return bool(World.of(Stop, world.log))


def report(world: World) -> SettingsReport:
    """As the node says now, asked or not."""
    said = world.of(PublishHealth, world.after(10_000))[-1].health.settings
    assert said is not None
    return said


@pytest.fixture
def world() -> World:
    world = World()
    world.start()
    world.online()
    world.after(1_000)
    return world


@pytest.fixture
def trial() -> World:
    """In its first second, with a network."""
    world = World(kept_settings=Kept(good=Settled(4, b"old"), newest=4).tried(Settled(7, b"new"), Before()))
    world.restart()
    world.online()
    return world


def test_settings_are_on_the_disk_before_the_node_starts_again_with_them(world: World) -> None:
    done = world.do(came())

    assert [KeepSettings(world.kept_settings)] == world.of(KeepSettings, done)
    assert (7, b"sealed 7") == (world.kept_settings.trial.serial, world.kept_settings.trial.data)
    assert is_stopping(world)


@pytest.mark.parametrize("event", [came(serial=4), came(serial=3), came(node=BOOTS)], ids=["same", "older", "other"])
def test_settings_that_are_not_newer_or_another_nodes_change_nothing(event: SettingsReceived) -> None:
    world = World(kept_settings=Kept(good=Settled(4, b"old"), newest=4))
    world.start()
    world.online()
    done = world.do(event)

    assert [] == world.of(KeepSettings, done)
    assert not is_stopping(world)


def test_older_and_foreign_settings_are_counted(world: World) -> None:
    world.state.configuring = replace(world.state.configuring, kept=Kept(newest=9))
    world.do(came(serial=3), came(node=BOOTS))

    assert (1, 1) == (world.state.rejected["old settings"], world.state.rejected["settings of another node"])


def test_settings_that_cannot_be_are_refused_in_a_sentence_and_kept_out(world: World) -> None:
    world.settings_objection = "/dev/ttyUSB0 is not there"
    world.do(came())

    said = report(world)
    assert ("refused", 7, "/dev/ttyUSB0 is not there", 0) == (said.state, said.serial, said.reason, said.in_force)
    assert not world.kept_settings.is_on_trial
    assert not is_stopping(world)
    faults = world.of(PublishHealth, world.log)[-1].health.faults
    assert ["refused: /dev/ttyUSB0 is not there"] == [fault.detail for fault in faults if fault.part == "settings"]


def test_answer_about_settings_that_newer_ones_have_replaced_counts_for_nothing(world: World) -> None:
    assert [] == world.of(KeepSettings, world.do(SettingsChecked(5, "no such profile")))


def test_settings_wait_while_an_alert_is_open_until_it_is_closed(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(came())
    said = report(world)

    assert ("waiting", 7, "an alert here is open") == (said.state, said.serial, said.reason)
    assert not is_stopping(world)
    world.do(world.receipt(1))
    world.after(1_000)
    assert not is_stopping(world)
    world.do(world.says(OURS, 1, "closed", revision=3))
    assert is_stopping(world)


def test_settings_wait_while_a_button_is_down(world: World) -> None:
    world.do(PinChanged(Button.ATTACK, is_down=True), came())

    assert not is_stopping(world)
    assert "an alert here is open" == world.state.configuring.waits_for


def test_settings_wait_while_a_neighbour_needs_the_panel(world: World) -> None:
    world.do(world.alert_from(BOOTS, 3), came())

    assert not is_stopping(world)
    assert "a neighbour's alert is on the panel" == world.state.configuring.waits_for


def test_settings_wait_for_the_network_that_they_are_judged_by(world: World) -> None:
    world.do(LinkDown("cable"), came())

    assert not is_stopping(world)
    assert "no contact with central" == world.state.configuring.waits_for


def test_press_between_disk_and_stop_is_sent_before_the_node_starts_again(world: World) -> None:
    """The trial is on the disk, but the node stays for as long as the alert needs it."""
    world.state.configuring = replace(
        world.state.configuring, kept=Kept().tried(Settled(7, b"new"), Before()), is_leaving=True
    )
    world.do(PinChanged(Button.ASSIST, is_down=True))

    assert not is_stopping(world)
    world.after(60, PinChanged(Button.ASSIST, is_down=False))
    world.after(1_000)
    assert 1 in world.stored
    assert not is_stopping(world)


def test_settings_are_offered_again_once_the_card_can_be_written(world: World) -> None:
    world.disk_full = True
    world.do(came())

    assert not is_stopping(world)
    assert "the card cannot be written" == world.state.configuring.waits_for
    world.disk_full = False
    world.live(70_000)
    assert is_stopping(world)


def test_trial_is_taken_once_all_has_worked_for_a_while(trial: World) -> None:
    trial.live(STEADY_MS - 2_000)
    assert trial.kept_settings.is_begun
    trial.live(4_000)

    assert ("taken", 7) == (trial.kept_settings.state, trial.kept_settings.good.serial)
    assert not is_stopping(trial)
    assert ("taken", 7) == (report(trial).state, report(trial).in_force)


def test_trial_is_not_taken_without_central(trial: World) -> None:
    trial.do(LinkDown("cable"))
    trial.after(STEADY_MS + 1_000)
    assert trial.kept_settings.is_begun
    trial.after(TRIAL_MS)

    assert ("returned", "no contact with central") == (trial.kept_settings.state, trial.kept_settings.reason)
    assert 4 == trial.kept_settings.in_force.serial
    assert is_stopping(trial)


@pytest.mark.parametrize("part", [Part.RADIO, Part.OLED, Part.SPEECH])
def test_trial_is_taken_back_when_a_part_fails_that_worked_before(trial: World, part: Part) -> None:
    trial.do(PartFailed(part, "does not move"))
    trial.live(STEADY_MS - 2_000)
    assert not is_stopping(trial)
    trial.live(4_000)

    assert ("returned", f"{part}: does not move") == (trial.kept_settings.state, trial.kept_settings.reason)
    assert is_stopping(trial)


def test_trial_forgives_a_part_that_recovers(trial: World) -> None:
    trial.do(PartFailed(Part.RADIO, "busy"))
    trial.live(5_000)
    trial.do(PartRecovered(Part.RADIO))
    trial.live(STEADY_MS)

    assert "taken" == trial.kept_settings.state


def test_trial_does_not_ask_for_what_was_broken_before() -> None:
    before = Before(faults=(Part.OLED,))
    world = World(kept_settings=Kept().tried(Settled(7, b"new"), before))
    world.restart()
    world.online()
    world.do(PartFailed(Part.OLED, "no panel"))
    world.live(STEADY_MS + 2_000)

    assert "taken" == world.kept_settings.state


def test_trial_asks_for_a_path_test_if_the_radio_was_proven_before() -> None:
    settings = replace(World().settings, radio=RadioSettings(licence="LG 1"))
    world = World(settings, kept_settings=Kept().tried(Settled(7, b"new"), Before(is_radio_proven=True)))
    world.restart()
    world.online()
    world.live(STEADY_MS + 2_000)
    assert world.kept_settings.is_begun
    world.live(TRIAL_MS)

    assert "no path test came back by radio, as it did before" == world.kept_settings.reason
    assert "returned" == world.kept_settings.state


def test_trial_is_not_taken_before_the_transmit_key_has_moved() -> None:
    """A key's first test comes seconds after the start, and later on a slow machine: silence is no proof."""
    settings = replace(World().settings, radio=RadioSettings(licence="LG 1", has_key=True))
    world = World(settings, kept_settings=Kept().tried(Settled(7, b"new"), Before()))
    world.restart()
    world.online()
    world.live(STEADY_MS + 20_000)
    assert world.kept_settings.is_begun
    world.do(KeyProven())

    assert "taken" == world.kept_settings.state


def test_alert_in_a_trial_that_central_has_is_not_interrupted_by_the_return(trial: World) -> None:
    trial.do(PartFailed(Part.RADIO, "does not move"))
    trial.tap(Button.ASSIST)
    trial.do(trial.receipt(1))
    trial.live(STEADY_MS + 2_000)

    assert "returned" == trial.kept_settings.state
    assert not is_stopping(trial)
    said = report(trial)
    assert ("trial", "radio: does not move", 4) == (said.state, said.reason, said.in_force), "this run still uses them"
    assert ["tried, and in use until nobody needs the unit: radio: does not move"] == faults_of_settings(trial)
    trial.do(trial.says(OURS, 1, "closed", revision=3))
    assert is_stopping(trial)
    trial.restart()
    trial.online()
    assert "returned" == report(trial).state
    assert ["tried, and taken back: radio: does not move"] == faults_of_settings(trial)


def faults_of_settings(world: World) -> list[str]:
    """As last told."""
    faults = world.of(PublishHealth, world.log)[-1].health.faults
    return [fault.detail for fault in faults if fault.part == "settings"]


def test_button_that_is_down_from_a_trials_start_is_blamed_on_its_settings(trial: World) -> None:
    """The line that keys the radio may be wired to it: nobody would know before it is needed."""
    trial.do(PinChanged(Button.ASSIST, is_down=True, is_initial=True))
    trial.live(STEADY_MS + 2_000)

    assert ("returned", "buttons: assist down since the start") == (
        trial.kept_settings.state,
        trial.kept_settings.reason,
    )
    assert is_stopping(trial)


def test_button_that_somebody_leaned_on_at_a_trials_start_is_forgiven(trial: World) -> None:
    trial.do(PinChanged(Button.ASSIST, is_down=True, is_initial=True))
    trial.live(5_000)
    trial.do(PinChanged(Button.ASSIST, is_down=False))
    trial.live(STEADY_MS)

    assert "taken" == trial.kept_settings.state


def test_button_that_was_stuck_before_a_trial_is_noted_and_not_blamed(world: World) -> None:
    world.do(PinChanged(Button.TEST, is_down=True, is_initial=True))
    world.do(came())
    assert (Button.TEST,) == world.kept_settings.before.stuck
    world.restart()
    world.online()
    world.do(PinChanged(Button.TEST, is_down=True, is_initial=True))
    world.live(STEADY_MS + 2_000)

    assert "taken" == world.kept_settings.state


def test_button_that_gets_stuck_in_a_trial_is_not_blamed_on_its_settings() -> None:
    world = with_a_key(Before(), is_key_proven=False)
    world.live(3_000)
    world.do(PinChanged(Button.TEST, is_down=True))
    world.live(world.settings.timing.stuck_ms + STEADY_MS + 2_000)
    assert (Button.TEST,) == stuck_buttons(world.state.buttons)
    world.do(KeyProven())

    assert "taken" == world.kept_settings.state


def test_alert_in_a_trial_that_nobody_has_gets_the_old_radio_at_once(trial: World) -> None:
    trial.do(PartFailed(Part.RADIO, "does not move"), LinkDown("cable"))
    trial.tap(Button.ATTACK, 1_100)
    assert 1 in trial.stored
    trial.after(trial.settings.timing.receipt_due_ms)

    assert "returned" == trial.kept_settings.state
    assert is_stopping(trial)


def test_alert_in_a_trial_keeps_the_node_while_the_radio_carries_it(trial: World) -> None:
    trial.do(LinkDown("cable"))
    trial.tap(Button.ATTACK, 1_100)
    trial.after(TRIAL_MS)

    assert "returned" == trial.kept_settings.state
    assert not is_stopping(trial)


def with_a_key(before: Before, *, is_key_proven: bool = True) -> World:
    """In a trial of a transmit key that opens without a fault."""
    settings = replace(World().settings, radio=RadioSettings(licence="LG 1", has_key=True))
    world = World(settings, kept_settings=Kept(good=Settled(4, b"old")).tried(Settled(7, b"new"), before))
    world.restart()
    world.online()
    if is_key_proven:
        world.do(KeyProven())
    return world


def unheard(world: World, seconds: int) -> None:
    """The radio sends what it is told, three seconds each, and nobody hears it."""
    over = 0
    for second in range(seconds):
        for order in world.of(TransmitOver, world.after(1_000)):
            over = order.over
            world.do(OverStarted(over))
        if over and second % 4 == 0:
            world.do(OverEnded(over, 3_000))
            over = 0


def test_alert_in_a_trial_that_a_silent_radio_carries_nowhere_gets_the_old_one() -> None:
    """A wrong pin keys nothing and reports nothing: only the missing receipt tells."""
    world = with_a_key(Before(is_radio_proven=True))
    world.do(LinkDown("cable"))
    world.tap(Button.ATTACK, 1_100)
    unheard(world, 17)
    assert not is_stopping(world)
    unheard(world, 20)

    assert is_stopping(world)
    assert world.state.radio.over is None
    assert ("returned", 4) == (world.kept_settings.state, world.kept_settings.in_force.serial)
    assert world.kept_settings.reason.startswith("an alert got no receipt")


def test_alert_in_a_trial_keeps_a_radio_that_was_never_proven() -> None:
    """The one of before is no better."""
    world = with_a_key(Before())
    world.do(LinkDown("cable"))
    world.tap(Button.ATTACK, 1_100)
    unheard(world, 60)

    assert not is_stopping(world)


def test_return_that_an_alert_needs_waits_until_the_next_press_is_stored(trial: World) -> None:
    trial.do(PartFailed(Part.RADIO, "does not move"), LinkDown("cable"))
    trial.tap(Button.ATTACK, 1_100)
    trial.after(trial.settings.timing.receipt_due_ms - 500, PinChanged(Button.ATTACK, is_down=True))
    trial.after(600)
    assert not is_stopping(trial)
    trial.after(600)

    assert 2 in trial.stored
    trial.after(1_000)
    assert is_stopping(trial)


def test_settings_do_not_wait_for_a_button_that_is_stuck(world: World) -> None:
    world.do(PinChanged(Button.TEST, is_down=True, is_initial=True))
    world.do(came())

    assert is_stopping(world)


def test_restart_or_power_cut_in_a_trial_takes_it_back(trial: World) -> None:
    trial.do(StopAsked())
    trial.restart()

    assert ("returned", CUT_SHORT) == (trial.kept_settings.state, trial.kept_settings.reason)
    assert 4 == trial.kept_settings.in_force.serial


def test_trial_whose_end_the_card_refuses_is_over_at_the_next_start(trial: World) -> None:
    trial.do(PartFailed(Part.RADIO, "does not move"))
    trial.disk_full = True
    trial.live(STEADY_MS + 2_000)
    assert is_stopping(trial)
    assert trial.kept_settings.is_begun
    trial.restart()

    assert ("returned", 4) == (trial.kept_settings.state, trial.kept_settings.in_force.serial)


def test_settings_that_come_in_a_trial_wait_until_central_offers_them_again(trial: World) -> None:
    trial.do(came(serial=8))
    trial.live(STEADY_MS + 2_000)
    assert 7 == trial.kept_settings.good.serial
    trial.do(came(serial=8))

    assert 8 == trial.kept_settings.trial.serial
    assert is_stopping(trial)
