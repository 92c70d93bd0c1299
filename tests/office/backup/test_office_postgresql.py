"""The office's backup on PostgreSQL, by the server's own programs. Part of ``make test-deep``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from office.backup import postgresql
from office.backup.postgresql import PostgresqlState
from runtime.backup_file import BackupError, new_identity
from tests.office.backup.conftest import Kept, asked, filled
from tests.support.office_program import in_office, office, write_config
from tests.support.postgresql import VARIABLE, Cluster, cluster

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason="PostgreSQL is for make test-deep")

NAMES = """
from office.people.models import Individual
print(json.dumps(sorted(Individual.objects.exclude(name="").values_list("name", flat=True))))
"""
RENAME = """
from office.people.models import Individual
Individual.objects.filter(number=2).update(name="New")
"""


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server of this test alone: databases change their names in it."""
    with cluster() as running:
        yield running


def databases(server: Cluster) -> set[str]:
    with closing(psycopg.connect(server.url)) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")}


def test_office_on_postgresql_is_backed_up_and_restored(server: Cluster, tmp_path: Path) -> None:
    """Proven in a database of its own, and by two new names put in the place of the other."""
    file = write_config(tmp_path)
    file.write_text(f'database = "{server.url}"\n{file.read_text()}')
    assert 0 == office("init", "--config", file).returncode
    before = databases(server)
    kept = filled(Kept(file, new_identity(), new_identity()))
    assert before == databases(server)
    in_office(file, RENAME)
    status, said = kept.run("restore", "--from", kept.made, "--identity", kept.key_file)
    assert (1, True) == (status, "PostgreSQL’s database, or photographs), and nothing is overwritten" in said)

    said = kept.restore("--set-aside")

    assert ["Nobody 1", "Nobody 2"] == asked(kept, NAMES)
    assert "Everybody must sign in to the office again" in said
    (aside,) = databases(server) - before
    assert aside.startswith("office_before-restore-")
    assert 0 == office("audit", "verify", "--config", file).returncode
    with closing(psycopg.connect(server.url.removesuffix("/office") + f"/{aside}")) as was:
        assert ("New",) == was.execute("SELECT name FROM people_individual WHERE number = 2").fetchone()


def test_what_is_missing_for_a_backup_is_told(server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.url
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    state = PostgresqlState(url, tmp_path / "data")
    state.copy(tmp_path / "dump")
    weak = PostgresqlState(f"postgresql://weak:weak@{url.rpartition('@')[2]}", tmp_path / "data")
    with pytest.raises(BackupError, match='ALTER ROLE "weak" CREATEDB'), weak.opened(tmp_path / "dump"):
        pass
    monkeypatch.setattr(postgresql, "_said", lambda _: "pg_dump (PostgreSQL) 9.6")
    with pytest.raises(BackupError, match=r"here is 9\. Install it: apt-get install postgresql-client-"):
        state.copy(tmp_path / "other")
