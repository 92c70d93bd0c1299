"""What a person types and reads: ``watchlink central backup``, ``restore`` and ``backup-key``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from central.backup.cli import what_now
from central.backup.restoring import Restored
from central.cli import COMMANDS, OF_ITS_MACHINE, main
from runtime.backup_file import read_identities
from tests.central.backup.conftest import Kept
from tests.support.central_town import START


@pytest.fixture
def key(kept: Kept, tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(str(kept.identity))
    return file


def test_backup_goes_where_the_configuration_says_and_is_restored(
    kept: Kept, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(kept.configuration.file)]
    assert 0 == main(["backup", *config])
    (made,) = kept.folder.iterdir()
    assert f"{made}: 0.0 MB, opened and proven. Carry it to another place.\n" == capsys.readouterr().out
    assert 0 == main(["restore", *config, "--from", str(made), "--identity", str(key), "--prove"])
    assert "the key opens it" in capsys.readouterr().out
    assert 1 == main(["restore", *config, "--from", str(made), "--identity", str(key)])
    assert "watchlink central restore: central is running: stop it first" in capsys.readouterr().err
    kept.lose()

    assert 0 == main(["restore", *config, "--from", str(made), "--identity", str(key)])

    said = capsys.readouterr().out
    assert said.startswith("Central's state is back. The backup is of ")
    assert "(1 were signed in)" in said
    assert kept.file.exists()


def test_restored_central_is_told_what_is_lost_and_what_is_missing(kept: Kept, tmp_path: Path) -> None:
    manifest = kept.back_up().manifest
    kept.configuration.directory_file.unlink()
    restored = Restored(manifest, 3, tmp_path / "before", tmp_path / "other.toml", START)

    said = what_now(restored, kept.configuration)

    assert [
        "Central's state is back. The backup is of 28 November 2026, 23:40 UTC, by version 0.1.0, schema 0013.",
        f"What was here before is in {tmp_path}/before. Delete it when all is well.",
        "Nodes remember 48 hours: alerts between the backup and 28 November 2026, 23:40 UTC are lost.",
        f"{kept.configuration.file} stays. The backup had another: compare {tmp_path}/other.toml.",
        f"{kept.configuration.directory_file} is missing: carry it here from the fleet folder.",
        *said[-2:],
    ] == said
    assert said[-2].startswith("Numbers go on by this machine's clock, ")
    assert (
        "(systemctl start watchlink-central). Everybody signs in again (3 were signed in); duty begins anew."
        in said[-1]
    )


def test_key_is_made_for_its_owner_alone_and_never_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key"
    assert 0 == main(["backup-key", "--to", str(file)])
    (recipient,) = re.findall(r'recipients = \["(age1[0-9a-z]+)"\]', capsys.readouterr().out)

    (identity,) = read_identities(file)
    assert recipient == str(identity.to_public())
    assert 0o600 == file.stat().st_mode & 0o777
    data = file.read_bytes()
    assert 1 == main(["backup-key", "--to", str(file)])
    assert "File exists" in capsys.readouterr().err
    assert data == file.read_bytes()


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_configuration_that_is_not_there_is_told(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "central.toml"
    more = ["--from", "x", "--identity", "y"] if name == "restore" else []

    assert 2 == main([name, "--config", str(config), *more])
    assert f"watchlink central {name}: {config}: cannot be read: No such file" in capsys.readouterr().err


def test_help_of_central_names_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["--help"])
    said = capsys.readouterr().out
    assert [] == [name for name in (*COMMANDS, *OF_ITS_MACHINE) if f"\n  {name} " not in said]

    assert [2, 2] == [main([]), main(["bakcup"])]
    assert f"{said}watchlink central: there is no command 'bakcup'\n\n{said}" == capsys.readouterr().err
