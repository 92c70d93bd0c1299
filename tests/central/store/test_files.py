"""Whose the database's files are, and where there are none."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from central.store.database import Database, resolve_url


def test_folder_of_the_database_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """Names of members and of those who answered are in it."""
    database = Database(resolve_url("sqlite:///var/state/central.db", tmp_path))
    database.open()

    assert 0o700 == stat.S_IMODE((tmp_path / "var/state").stat().st_mode)
    database.close()


def test_database_on_a_server_makes_no_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is no path: a lock or a reserve beside it would be in whatever folder central was started in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("central.store.database.engine_of", lambda _url: sa.create_engine("sqlite://"))
    database = Database(resolve_url("postgresql:///watchlink", tmp_path))
    database.open()

    assert ([], True) == ([*tmp_path.iterdir()], database.has_reserve)
    database.close()
