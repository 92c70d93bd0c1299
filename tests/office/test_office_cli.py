"""``watchlink office``: one door to its programs."""

from __future__ import annotations

import pytest

from office.cli import COMMANDS, main


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COMMANDS)


@pytest.mark.parametrize("given", [[], ["nonsense"]])
def test_what_is_no_command_is_said(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2

    said = capsys.readouterr().err
    assert "usage: watchlink office COMMAND" in said
    assert ("there is no command 'nonsense'" in said) == bool(given)


@pytest.mark.parametrize("name", ["init", "migrate", "recover"])
def test_a_configuration_that_is_missing_is_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    extra = ["cora"] if name == "recover" else []

    assert main([name, "--config", "/nowhere/office.toml", *extra]) == 2
    assert capsys.readouterr().err == (
        f"watchlink office {name}: /nowhere/office.toml: cannot be read: No such file or directory\n"
    )
