"""What a first boot brings as credentials becomes the unit's identity, and replaces nothing (F1)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest

UNITS: Final = Path(__file__).parents[2] / "systemd"


@pytest.fixture
def adopt(tmp_path: Path) -> tuple[Path, Path]:
    """Credentials and state directory."""
    credentials, state = tmp_path / "credentials", tmp_path / "state"
    credentials.mkdir()
    state.mkdir()
    return credentials, state


def run_adopt(credentials: Path, state: Path) -> None:
    environment = {"CREDENTIALS_DIRECTORY": str(credentials), "STATE_DIRECTORY": str(state), "PATH": "/usr/bin:/bin"}
    subprocess.run([str(UNITS / "watchlink-adopt")], env=environment, check=True, timeout=120)


def test_adopt_takes_over_what_is_not_there_and_replaces_nothing(adopt: tuple[Path, Path]) -> None:
    """F1: the identity of a first boot; a card flashed anew must not change who an enrolled node is."""
    credentials, state = adopt
    (credentials / "watchlink.node.toml").write_text("new")
    (credentials / "watchlink.signing.key").write_text("new")
    (credentials / "other").write_text("not ours")
    (state / "signing.key").write_text("kept")

    run_adopt(credentials, state)

    assert {path.name: path.read_text() for path in state.iterdir()} == {"node.toml": "new", "signing.key": "kept"}


def test_adopt_brings_a_node_no_seed_again(adopt: tuple[Path, Path]) -> None:
    """It was deleted when the unit was armed, and the credential is there at each boot."""
    credentials, state = adopt
    (credentials / "watchlink.watchlink-seed.json").write_text("seed")

    run_adopt(credentials, state)
    assert "seed" == (state / "watchlink-seed.json").read_text()
    (state / "watchlink-seed.json").rename(state / "node.toml")
    run_adopt(credentials, state)

    assert ["node.toml"] == [path.name for path in state.iterdir()]


def test_adopt_is_content_with_no_credentials(adopt: tuple[Path, Path]) -> None:
    run_adopt(*adopt)

    assert list(adopt[1].iterdir()) == []
