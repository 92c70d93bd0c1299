from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from central.store.database import Database, resolve_url


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(resolve_url("sqlite:///state/central.db", tmp_path))
    database.open()
    yield database
    database.close()
