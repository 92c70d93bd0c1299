"""One board: whatever is missing, the rest works, and nothing is left on (F3, F6)."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from node.core.controls import Button, LedPattern, Part, SoundPattern
from node.core.events import PartFailed, PinChanged, ScreenShown
from node.core.screens import Face, Screen
from node.hw.board import Board, open_board
from node.hw.fake_board import FakeBoard, FakePin
from node.hw.luma_devices import open_luma_panel
from node.hw.pins import PinSource
from node.hw.profiles import PROFILES, Driver, Profile
from node.hw.typeface import Typeface
from tests.support.event_recorder import EventRecorder
from tests.support.fleet_broker import wait_until
from tests.support.panel_wires import Wire, bus_options
from tools.specimens import SPECIMENS

HARDWARE = {Part.OLED, Part.BUTTONS, Part.LED, Part.SOUNDER}
REAL = [profile for profile in PROFILES.values() if not profile.is_fake]


def test_board_on_a_machine_without_hardware_reports_every_part_and_takes_every_order(events: EventRecorder) -> None:
    """No call raises: the node goes on, and central hears what is missing."""
    board = open_board(PROFILES["ssd1309-128x64"], events)
    events.wait_until(lambda told: {event.part for event in told if isinstance(event, PartFailed)} == HARDWARE)
    board.show(SPECIMENS["ready"])
    board.play(SoundPattern.ATTACK)
    board.set_led(LedPattern.SENDING)
    for part in Part:
        board.retry(part)
        board.check(part)
    events.wait_until(lambda told: len(told) == 2 * len(HARDWARE))
    board.close()
    board.close()

    assert {PartFailed} == {type(event) for event in events.all}


@pytest.mark.filterwarnings("ignore:.*getdata is deprecated:DeprecationWarning")
@pytest.mark.parametrize("profile", REAL, ids=lambda profile: profile.name)
def test_board_of_every_profile_works_with_all_its_pins_at_once(
    profile: Profile, events: EventRecorder, terminus: Typeface
) -> None:
    """Buttons, LED, sounder, reset and data/command of one profile never take a pin from one another."""
    factory = MockFactory(pin_class=FakePin)
    source, wire = PinSource(lambda: factory), Wire()
    board = Board(
        profile,
        events,
        source=source,
        open_panel=lambda: open_luma_panel(profile.panel, source, **bus_options(profile.panel, wire, source)),
        typeface=terminus,
    )
    board.set_led(LedPattern.READY)
    board.play(SoundPattern.CONFIRM)
    board.show(Screen(Face.READY, ("READY",), concerns="x"))
    events.wait_for(ScreenShown("x", "ready"))
    for number in profile.buttons.values():
        factory.pin(number).drive(low=True)
    board.close()

    presses = [PinChanged(button, is_down=True) for button in profile.buttons]
    assert [ScreenShown("x", "ready"), *presses] == events.all
    assert 0.0 == factory.pin(profile.led_pin).state
    assert 0.0 == factory.pin(profile.sounder_pin).state


def test_board_leaves_no_thread_behind(fake_board: FakeBoard) -> None:
    fake_board.set_led(LedPattern.SENDING)
    fake_board.play(SoundPattern.ATTACK)
    fake_board.close()

    ours = {"panel", "led", "sounder", "board", "fake-board"}
    # On a busy machine a thread may need longer than a board waits for it.
    wait_until(lambda: not ours & {thread.name for thread in threading.enumerate()}, "all have ended")


def test_board_ignores_parts_that_are_not_its_own(fake_board: FakeBoard, events: EventRecorder) -> None:
    for part in set(Part) - HARDWARE:
        fake_board.retry(part)
        fake_board.check(part)

    assert [] == events.all


def test_button_works_with_everything_else_broken(fake_board: FakeBoard, events: EventRecorder) -> None:
    """A dead OLED, LED or sounder never stops the button."""
    for part in HARDWARE - {Part.BUTTONS}:
        fake_board.set_broken(part, is_broken=True)
    fake_board.set_level(Button.ATTACK, low=True)

    events.wait_for(PinChanged(Button.ATTACK, is_down=True))


def test_real_profile_loads_no_mock_and_no_driver_before_it_needs_them(tmp_path: Path) -> None:
    """Start to armed is 1.5 s on this machine, far more on a Pi: nothing is loaded that is not used."""
    program = (
        "import sys, node.hw.board, node.hw.profiles, node.hw.fake_board_client\n"
        "print(sorted(m for m in sys.modules if m.startswith(('gpiozero', 'luma', 'smbus2', 'node.hw.fake_board.'))"
        " or m == 'node.hw.fake_board'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "[]\n" == done.stdout


def test_client_needs_the_standard_library_only(tmp_path: Path) -> None:
    program = (
        "import sys; before = set(sys.modules); import node.hw.fake_board_client\n"
        "names = {m.split('.')[0] for m in set(sys.modules) - before}\n"
        "print(sorted(names - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "['node', 'runtime']\n" == done.stdout, "nothing but the standard library and our own"


def test_every_driver_has_a_profile() -> None:
    assert set(Driver) == {profile.panel.driver for profile in PROFILES.values()}
