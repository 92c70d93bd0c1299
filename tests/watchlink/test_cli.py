"""The one door: what it says to whoever asks for something that is not there."""

from __future__ import annotations

import contextlib

import pytest

from watchlink.cli import OF_MACHINES, main


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nodee"], "watchlink: there is no command 'nodee'; did you mean 'node'?"),
        (["--helpp"], "watchlink: there is no command '--helpp'"),
        ([], "usage: watchlink COMMAND …"),
    ],
)
def test_wrong_command_is_told_what_was_wrong(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(arguments)
    out, err = capsys.readouterr()

    assert (2, "", problem) == (status, out, err.split("\n")[0])
    assert "watchlink COMMAND --help" in err


def test_help_is_an_answer_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--help"])
    out, err = capsys.readouterr()

    assert (0, "") == (status, err)
    assert "run the unit in a shop or pub" in out


def test_demo_is_offered_only_where_the_repository_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--help"])
    assert "a whole town on this machine" in capsys.readouterr().out

    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    status = main(["demo", "--script", "first-alert"])
    out, err = capsys.readouterr()

    assert (2, "") == (status, out)
    assert err.startswith("watchlink: 'demo' is not installed. Run it in a checkout of the repository: make demo")
    assert "a whole town" not in err


@pytest.mark.parametrize(
    ("program", "command", "says"),
    [
        ("central", "install", "put broker, central"),
        ("central", "check", "every expiry date, and say what to do."),
        ("node", "install", "put the unit, its user"),
        ("fleet", "install", "From now on, bring each change"),
    ],
)
def test_commands_about_a_programs_machine_are_under_the_program(
    program: str, command: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([program, command, "--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert f"usage: watchlink {program} {command}" in said
    assert says.lower() in said.lower()


@pytest.mark.parametrize(("program", "command"), sorted(OF_MACHINES))
def test_program_lists_the_commands_about_its_machine(
    program: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):
        main([program, "--help"])

    assert f"  {command} " in capsys.readouterr().out


def test_command_about_a_units_machine_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["node", "--config=x", "install"])
    assert "write 'watchlink node install'" in capsys.readouterr().err
