"""An office's empty database is made once and lent, only where a file is named for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.lent_database import FILE_VARIABLE, keep, lend


def test_first_office_makes_the_database_that_the_next_is_lent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "kept/empty.sqlite3"))
    first, second = tmp_path / "1.sqlite3", tmp_path / "2.sqlite3"

    assert lend(first)
    first.write_bytes(b"tables")
    keep(first)
    assert not lend(second)

    assert b"tables" == second.read_bytes()
    assert 1 == len(list((tmp_path / "kept").iterdir()))


def test_nothing_is_lent_or_made_where_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE_VARIABLE, raising=False)

    assert not lend(tmp_path / "1.sqlite3")
    assert [] == list(tmp_path.iterdir())
