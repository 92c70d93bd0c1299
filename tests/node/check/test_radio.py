"""The radio as far as it is seen without opening it: licence, devices, programs (N10, F6)."""

from __future__ import annotations

import pytest

from node.check.report import look
from node.step import Outcome, Step
from tests.support.fitted_unit import FittedUnit

CM108 = '[radio]\ndriver = "sound"\nlicence = "1234567/1"\n[radio.sound]\ninput = "plughw:CARD=Device,DEV=0"\n'
CM108 += 'output = "plughw:CARD=Device,DEV=0"\n[radio.ptt]\nmethod = "cm108"\nhidraw = "/dev/watchlink-ptt"\n'
CARDS = "null\n    Discard\nplughw:CARD=Device,DEV=0\n    USB\ndefault\n    x\n"


@pytest.fixture
def fitted(fitted: FittedUnit) -> FittedUnit:
    """With everything that a radio on a sound device needs."""
    for name in ("arecord", "aplay"):
        fitted.program(name, CARDS)
    fitted.program("direwolf", "Dire Wolf version 1.7\n")
    fitted.program("espeak-ng", "")
    fitted.kernel("/dev/watchlink-ptt", "")
    return fitted


def found(fitted: FittedUnit, table: str = CM108) -> dict[str, Step]:
    fitted.change("[hardware]", f"{table}[hardware]")
    return {step.name: step for step in look(fitted.file, "", fitted.machine).steps}


def test_complete_radio_is_called_right_but_not_proven(fitted: FittedUnit) -> None:
    steps = found(fitted)

    names = ("radio", "sound", "key", "modem", "speech")
    assert [Outcome.OK] * 5 == [steps[name].outcome for name in names]
    assert (Outcome.NOT_DONE, True) == (steps["radio path"].outcome, "radio-check" in steps["radio path"].advice)


@pytest.mark.parametrize(
    ("missing", "name", "words"),
    [
        ("programs/arecord", "sound", "arecord is not installed"),
        ("programs/direwolf", "modem", "Dire Wolf cannot be run"),
        ("programs/espeak-ng", "speech", "espeak-ng is not installed"),
        ("root/dev/watchlink-ptt", "key", "/dev/watchlink-ptt is not there; alike: /dev/hidraw3"),
    ],
)
def test_each_missing_part_is_named(fitted: FittedUnit, missing: str, name: str, words: str) -> None:
    fitted.kernel("/dev/hidraw3", "")
    (fitted.root.parent / missing).unlink()
    step = found(fitted)[name]

    assert Outcome.BAD is step.outcome
    assert words in step.text


def test_sound_device_that_is_not_plugged_in_is_wrong(fitted: FittedUnit) -> None:
    fitted.program("aplay", "default\n    x\n")
    step = found(fitted)["sound"]

    assert 'no sound output named "plughw:CARD=Device,DEV=0"; here: default' == step.text


def test_no_radio_is_no_fault_and_no_licence_is(fitted: FittedUnit) -> None:
    """N10: who fits a node sees at once that it will never transmit."""
    assert "none: alerts go by the network alone" == found(fitted, "")["radio"].text
    step = found(fitted, '[radio]\ndriver = "kiss-tnc"\n')["radio"]

    assert (Outcome.BAD, "kiss-tnc: only listens: no licence reference under [radio]") == (step.outcome, step.text)


def test_tnc_is_looked_for_and_not_opened(fitted: FittedUnit) -> None:
    table = '[radio]\ndriver = "kiss-tnc"\nlicence = "1"\n'
    assert Outcome.BAD is found(fitted, table)["tnc"].outcome
    fitted.kernel("/dev/ttyUSB0", "")
    step = found(fitted, "")["tnc"]

    assert (Outcome.OK, "/dev/ttyUSB0 is there") == (step.outcome, step.text)


def test_running_node_is_asked_whether_its_radio_works(fitted: FittedUnit) -> None:
    fitted.systemd(StatusText="armed, faults: radio speech; connected")

    assert "the running node reports a fault: radio, speech" == found(fitted)["radio path"].text
