"""The board, at pin and bus level, while no node runs; and by the node's own word while one does (F6)."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from node.check.machine import Machine
from node.check.report import look
from node.hw.fake_board import FakePin
from node.hw.profiles import PROFILES
from node.step import Outcome, Step
from tests.support.fitted_unit import FittedUnit, fitted_unit
from tests.support.panel_wires import RecordingI2cBus, Wire

pytestmark = pytest.mark.filterwarnings("ignore:.*getdata is deprecated:DeprecationWarning")  # luma's, of Pillow

PROFILE = PROFILES["ssd1309-128x64"]


@pytest.fixture
def pins() -> MockFactory:
    return MockFactory(pin_class=FakePin)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FittedUnit:
    return fitted_unit(tmp_path, monkeypatch, PROFILE.name)


def found(built: FittedUnit, pins: MockFactory, wire: Wire) -> dict[str, Step]:
    machine = Machine(built.root, lambda: pins, RecordingI2cBus(wire))
    return {step.name: step for step in look(built.file, "", machine).steps}


def test_sound_board_is_called_right_and_is_let_go_again(built: FittedUnit, pins: MockFactory, wire: Wire) -> None:
    steps = [found(built, pins, wire) for _ in range(2)][-1]

    assert [Outcome.OK] * 3 == [steps[name].outcome for name in ("buttons", "panel", "sounder and LED")]
    assert "answers on I²C at 0x3C" in steps["panel"].text
    assert wire.commands


@pytest.mark.parametrize("button", PROFILE.buttons)
def test_button_that_is_pressed_is_named(built: FittedUnit, pins: MockFactory, wire: Wire, button: str) -> None:
    number = next(pin for one, pin in PROFILE.buttons.items() if one == button)
    pins.pin(number).drive(low=True)
    step = found(built, pins, wire)["buttons"]

    assert (Outcome.BAD, f"pressed while nobody should: {button} (GPIO {number})") == (step.outcome, step.text)


def test_pin_that_refuses_is_named_and_costs_no_other_part(built: FittedUnit, pins: MockFactory, wire: Wire) -> None:
    pins.pin(5).is_refusing = True
    steps = found(built, pins, wire)

    assert Outcome.BAD is steps["buttons"].outcome
    assert "attack: GPIO 5: " in steps["buttons"].text
    assert [Outcome.OK] * 2 == [steps[name].outcome for name in ("panel", "sounder and LED")]


def test_panel_that_is_not_on_its_bus_is_wrong(built: FittedUnit, pins: MockFactory, wire: Wire) -> None:
    wire.is_cut = True
    step = found(built, pins, wire)["panel"]

    assert Outcome.BAD is step.outcome
    assert "dtparam=i2c_arm=on" in step.advice


def test_machine_without_pins_says_so(built: FittedUnit, wire: Wire) -> None:
    def refuse() -> MockFactory:
        raise OSError(2, "No such file or directory", "/dev/gpiochip0")

    machine = Machine(built.root, refuse, RecordingI2cBus(wire))
    steps = {step.name: step for step in look(built.file, "", machine).steps}

    assert [Outcome.BAD] * 3 == [steps[name].outcome for name in ("buttons", "panel", "sounder and LED")]


@pytest.mark.parametrize(
    ("status", "outcomes"),
    [
        ("armed, no faults; connected", (Outcome.OK, Outcome.OK, Outcome.OK)),
        ("armed, faults: led oled; connected", (Outcome.OK, Outcome.BAD, Outcome.BAD)),
        ("armed, connected", (Outcome.NOT_DONE,) * 3),  # a node from before it told
    ],
)
def test_running_node_keeps_its_pins_and_is_believed(
    built: FittedUnit, pins: MockFactory, wire: Wire, status: str, outcomes: tuple[Outcome, ...]
) -> None:
    built.systemd(StatusText=status)
    steps = found(built, pins, wire)

    assert outcomes == tuple(steps[name].outcome for name in ("buttons", "panel", "sounder and LED"))
    assert ([], {}) == (wire.traffic, pins.pins)
