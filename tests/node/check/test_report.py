"""``watchlink node check``: a line for each part, what to do, and an exit status that programs can rely on (F3, F5)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from node.check.report import look
from node.cli import main
from node.step import Outcome
from tests.support.fitted_unit import FittedUnit


def outcomes(fitted: FittedUnit) -> dict[str, Outcome]:
    return {step.name: step.outcome for step in look(fitted.file, "1.2", fitted.machine).steps}


def test_check_has_a_line_for_each_part(fitted: FittedUnit) -> None:
    fitted.systemd()

    assert {
        "configuration": Outcome.OK,
        "identity files": Outcome.OK,
        "certificate": Outcome.OK,
        "directory": Outcome.OK,
        "clock": Outcome.OK,
        "disk": Outcome.OK,
        "store": Outcome.NOT_DONE,
        "unit": Outcome.OK,
        "hardware profile": Outcome.OK,
        "buttons": Outcome.OK,
        "panel": Outcome.OK,
        "sounder and LED": Outcome.OK,
        "radio": Outcome.OK,
        "name": Outcome.OK,
        "broker": Outcome.BAD,  # port 1
        "link": Outcome.OK,
        "gallery": Outcome.NOT_DONE,
        "power": Outcome.NOT_DONE,
        "temperature": Outcome.NOT_DONE,
    } == outcomes(fitted)


def test_everything_wrong_says_what_to_do(fitted: FittedUnit) -> None:
    """A finding without advice leaves the fitter where they were."""
    fitted.change('profile = "fake"', 'profile = "none"')
    fitted.change("[hardware]", '[clock]\nproof = "machine"\n[radio]\ndriver = "sound"\n[hardware]')
    (fitted.folder / "client.pem").write_text("x")
    (fitted.folder / "signing.key").chmod(0o644)
    fitted.kernel("/sys/class/thermal/thermal_zone0/temp", "91000\n")
    wrong = [step for step in look(fitted.file, "", fitted.machine).steps if step.outcome is Outcome.BAD]

    assert {
        *("identity files", "certificate", "clock", "unit", "hardware profile", "radio", "sound", "modem", "speech"),
        "temperature",
    } == {step.name for step in wrong}
    assert [] == [step.name for step in wrong if not step.advice]


@pytest.mark.parametrize("broken", ["", "not = [toml", "[identity]\nnode = 5\n"])
def test_check_of_a_broken_configuration_still_looks_at_the_rest(fitted: FittedUnit, broken: str) -> None:
    fitted.file.write_text(broken)
    fitted.kernel("/sys/class/thermal/thermal_zone0/temp", "45000\n")
    found = outcomes(fitted)

    assert (Outcome.BAD, Outcome.OK) == (found["configuration"], found["temperature"])


def test_status_is_two_without_a_configuration(fitted: FittedUnit, capsys: pytest.CaptureFixture[str]) -> None:
    fitted.file.unlink()

    assert 2 == main(["check", "--config", str(fitted.file)])
    assert "??   configuration: " in capsys.readouterr().out


def test_status_is_one_if_anything_is_wrong_and_the_last_line_says_what(
    fitted: FittedUnit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["check", "--config", str(fitted.file)])
    assert "\nWrong: unit, broker. Begin with the first.\n" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the rights of another user")
def test_who_may_not_look_is_told_so_and_nothing_is_called_wrong(fitted: FittedUnit, tmp_path: Path) -> None:
    state = fitted.folder / "state"
    state.mkdir()
    for folder in (fitted.folder, *fitted.folder.parents, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(0o755)
    state.chmod(0o700)
    fitted.file.chmod(0o644)
    look(fitted.file, "", fitted.machine)  # loads every module: the other user may not see Python's own files
    os.seteuid(65_534)
    try:
        found = look(fitted.file, "", fitted.machine)
    finally:
        os.seteuid(0)
    told = {step.name: step for step in found.steps}
    unseen = {name for name, step in told.items() if step.outcome is Outcome.UNSEEN}

    assert {"configuration", "certificate", "disk", "store"} <= unseen
    assert {"unit"} == {name for name, step in told.items() if step.outcome is Outcome.BAD}, told  # there is none
    assert 2 == found.status
    assert Outcome.UNSEEN is told["configuration"].outcome
    assert "run it as root" in told["configuration"].advice


def test_part_that_cannot_be_looked_at_does_not_hide_the_others(
    fitted: FittedUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr("node.check.surroundings.power_step", fails)
    found = {step.name: step for step in look(fitted.file, "", fitted.machine).steps}

    assert "could not be looked at: ZeroDivisionError: x" == found["power"].text
    assert "temperature" in found


def test_json_has_an_object_for_each_part(fitted: FittedUnit, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--json", "--config", str(fitted.file)])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert {"step", "outcome", "text", "advice", "figures"} == set.intersection(*map(set, said))
    assert ("certificate", 89) in [(one["step"], one["figures"].get("days_left")) for one in said]


def test_check_leaves_the_folder_as_it_was(fitted: FittedUnit) -> None:
    before = sorted(fitted.folder.rglob("*"))
    look(fitted.file, "", fitted.machine)

    assert before == sorted(fitted.folder.rglob("*"))
