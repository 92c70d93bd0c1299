"""What ``watchlink demo`` takes for an order, before anything is started."""

from __future__ import annotations

import argparse

import pytest

from demo import cli

STARTED = 17


@pytest.fixture(autouse=True)
def _nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(options: argparse.Namespace) -> int:
        return STARTED

    monkeypatch.setattr(cli, "_run", run)


@pytest.mark.parametrize("script", ["network-cut", "town-cut", "central-gone", "busy-channel", "storm"])
def test_radio_beside_a_script_that_has_radios_is_no_contradiction(script: str) -> None:
    assert STARTED == cli.main(["--radio", "--script", script])


def test_radio_beside_a_script_without_radios_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--radio", "--script", "first-alert"])

    assert cli.NOT_UNDERSTOOD == ended.value.code
    assert "first-alert is played in a town without radios" in capsys.readouterr().err


@pytest.mark.finding(19)
@pytest.mark.parametrize("count", ["3", "61", "-4", "twelve", ""])
def test_town_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], count: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([f"--premises={count}"])

    assert cli.NOT_UNDERSTOOD == ended.value.code
    assert "is not a number from 4 to 60" in capsys.readouterr().err


@pytest.mark.finding(19)
def test_premises_are_counted_and_scripts_have_their_own_towns(capsys: pytest.CaptureFixture[str]) -> None:
    assert STARTED == cli.main(["--premises", "12", "--radio"])
    with pytest.raises(SystemExit):
        cli.main(["--premises", "12", "--script", "storm"])

    assert "a town of its own" in capsys.readouterr().err


def test_json_without_a_script_is_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--json"])

    assert cli.NOT_UNDERSTOOD == ended.value.code
