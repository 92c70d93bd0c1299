"""Clock, supply and temperature, from the kernel's files and the firmware's program (F5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from node.check import surroundings
from node.check.report import look
from node.step import Outcome, Step
from tests.support.fitted_unit import FittedUnit


def found(fitted: FittedUnit, name: str, at: datetime | None = None) -> Step:
    return next(step for step in look(fitted.file, "", fitted.machine, at).steps if step.name == name)


@pytest.mark.parametrize(
    ("years", "words"), [(-56, "before this unit's certificate was made"), (14, "after this unit's certificate ended")]
)
def test_clock_outside_the_certificate_is_wrong(fitted: FittedUnit, years: int, words: str) -> None:
    step = found(fitted, "clock", datetime.now(UTC) + timedelta(days=365 * years))

    assert Outcome.BAD is step.outcome
    assert words in step.text


def test_clock_that_is_believed_must_have_a_battery(fitted: FittedUnit) -> None:
    fitted.change("[hardware]", '[clock]\nproof = "machine"\n[hardware]')
    assert Outcome.BAD is found(fitted, "clock").outcome
    fitted.kernel("/sys/class/rtc/rtc0/name", "rtc-ds3231")
    step = found(fitted, "clock")

    assert Outcome.OK is step.outcome
    assert "proven, with a battery clock" in step.text


def test_clock_that_nothing_proves_yet_is_told_and_no_fault(
    fitted: FittedUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "is_synchronised", lambda: False)
    step = found(fitted, "clock")

    assert (Outcome.OK, 0) == (step.outcome, step.figures["is_proven"])
    assert "not proven yet, without a battery clock" in step.text


@pytest.mark.parametrize(
    ("told", "outcome", "words"),
    [
        ("throttled=0x0\n", Outcome.OK, "enough"),
        ("throttled=0x1\n", Outcome.BAD, "now: under-voltage"),
        ("throttled=0x50005\n", Outcome.BAD, "now: under-voltage, throttled"),
        ("throttled=0x50000\n", Outcome.BAD, "since the start: under-voltage, throttled"),
        ("error=1\n", Outcome.NOT_DONE, "does not tell"),
    ],
)
def test_supply_is_told_in_words(fitted: FittedUnit, told: str, outcome: Outcome, words: str) -> None:
    fitted.program("vcgencmd", told)
    step = found(fitted, "power")

    assert (outcome, True) == (step.outcome, words in step.text), step.text


def test_supply_is_read_from_the_kernel_without_the_firmwares_program(fitted: FittedUnit) -> None:
    fitted.kernel("/sys/devices/platform/soc/soc:firmware/get_throttled", "50001\n")

    assert "now: under-voltage; since the start: throttled" == found(fitted, "power").text


@pytest.mark.parametrize(
    ("told", "outcome"), [("52100\n", Outcome.OK), ("80000\n", Outcome.BAD), ("", Outcome.NOT_DONE)]
)
def test_temperature_is_told(fitted: FittedUnit, told: str, outcome: Outcome) -> None:
    fitted.kernel("/sys/class/thermal/thermal_zone0/temp", told)

    assert outcome is found(fitted, "temperature").outcome
