"""Pieces of a demo without the town, and a town in which nothing runs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from demo.chronicle import Chronicle
from demo.guardian_pipe import Guardian
from demo.notice import Notice
from demo.town import Town

ON_DISK = """
CREATE TABLE frames (sender INTEGER, counter INTEGER);
CREATE TABLE actions (kind TEXT, incident_node INTEGER, incident_counter INTEGER);
INSERT INTO frames VALUES (16, 1);
INSERT INTO actions VALUES ('acknowledged', 16, 1);
"""


@pytest.fixture
def chronicle() -> Chronicle:
    return Chronicle(time.monotonic_ns() / 1e6, Notice())


@pytest.fixture
def town(tmp_path: Path, chronicle: Chronicle) -> Iterator[Town]:
    """A town in which nothing runs; its central has one alert on disk, answered."""
    guardian = Guardian([], is_kept=False)
    town = Town(tmp_path / "town", guardian, chronicle)
    database = town.folder / "central" / "state" / "central.db"
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(ON_DISK)
    yield town
    guardian.dismiss()
