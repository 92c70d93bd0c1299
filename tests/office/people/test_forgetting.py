"""What is in SQLite’s own files after an erasure: a real file, for the test’s database is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.utils import timezone

from office.audit.journal import record
from office.database import database_settings
from office.people import forgetting
from office.people.forgetting import forget_deleted_rows, forget_everywhere

pytestmark = pytest.mark.django_db
SMALL_ROWS, ROW_CHARS = 400, 300


class World:
    """A database in a file, opened as the office opens its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "office.sqlite3"
        handler = ConnectionHandler({"default": database_settings(str(self.file))})
        self.database: BaseDatabaseWrapper = handler.create_connection("default")
        self.reader: BaseDatabaseWrapper = handler.create_connection("default")
        self.run("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)")

    def run(self, statement: str, using: BaseDatabaseWrapper | None = None) -> None:
        with (using or self.database).cursor() as cursor:
            cursor.execute(statement)
            if statement.startswith("SELECT"):
                cursor.fetchall()

    def holds(self, words: str) -> list[str]:
        """Names of the files in which they are."""
        found = self.file.parent.glob("office.sqlite3*")
        return sorted(path.name for path in found if words.encode() in path.read_bytes())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()
    made.reader.close()


def test_what_was_erased_or_corrected_is_in_no_file(world: World) -> None:
    world.run("INSERT INTO person VALUES (1, 'Jo Reed'), (2, 'Sam Rush')")
    world.run("UPDATE person SET name = '' WHERE id = 1")
    world.run("UPDATE person SET name = 'Sam Reed, with a longer name than before' WHERE id = 2")
    assert world.holds("Sam Rush") == ["office.sqlite3-wal"]
    forget_deleted_rows(world.database)

    assert (world.holds("Jo Reed"), world.holds("Sam Rush")) == ([], [])
    assert world.holds("Sam Reed") == ["office.sqlite3"]


def test_somebody_who_reads_holds_nobody_up_and_it_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forgetting, "WAIT_MS", 1)
    world.run("INSERT INTO person VALUES (1, 'Jo Reed')")
    world.run("BEGIN", world.reader)
    world.run("SELECT * FROM person", world.reader)
    world.run("UPDATE person SET name = '' WHERE id = 1")
    forget_deleted_rows(world.database)

    assert "somebody is reading" in caplog.text
    with world.database.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (20_000,)


def torn_pages(world: World) -> list[int]:
    """Pages are split by rows that grow; returns who was erased after it."""
    filling = "substr('" + "x" * ROW_CHARS + f"', 1, abs(id * 7919 % {ROW_CHARS}))"
    world.run(
        f"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {SMALL_ROWS})"
        f" INSERT INTO person SELECT id, 'Name ' || id || '.' || {filling} FROM n"
    )
    erased = [number for number in range(1, SMALL_ROWS + 1) if number * 31 % 3]
    world.run("BEGIN")
    for number in erased:
        world.run(f"UPDATE person SET name = name || hex(zeroblob({number * 37 % 400})) WHERE id = {number}")
    world.run("COMMIT")
    world.run(f"UPDATE person SET name = '' WHERE id IN ({', '.join(map(str, erased))})")
    return erased


def test_file_is_written_anew_once_a_day_after_an_erasure(world: World) -> None:
    """Else parts of pages that were split hold what was there."""
    erased = torn_pages(world)
    forget_deleted_rows(world.database)
    assert any(world.holds(f"Name {number}.") for number in erased)
    forget_everywhere(timezone.now(), world.database)
    assert any(world.holds(f"Name {number}.") for number in erased)
    record(None, "individual.erased")
    forget_everywhere(timezone.now() + timedelta(days=3), world.database)
    assert any(world.holds(f"Name {number}.") for number in erased)
    forget_everywhere(timezone.now() + timedelta(days=1), world.database)

    assert not any(world.holds(f"Name {number}.") for number in erased)


def test_large_file_is_not_written_anew_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forgetting, "REWRITTEN_BYTES_MAX", 1)
    erased = torn_pages(world)
    record(None, "individual.erased")
    forget_everywhere(timezone.now(), world.database)

    assert "too large to be written anew by itself" in caplog.text
    assert any(world.holds(f"Name {number}.") for number in erased)
