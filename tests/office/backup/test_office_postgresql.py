"""The office's backup on PostgreSQL, by the server's own programs. Part of ``make test-deep``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from office.backup import postgresql
from office.backup.aside import forget_set_aside
from office.backup.postgresql import PostgresqlState
from office.config import load_configuration
from runtime.backup_file import BackupError, new_identity
from runtime.config import ConfigError
from tests.office.backup.conftest import Kept, asked, filled
from tests.support.office_program import in_office, office, write_config
from tests.support.postgresql import VARIABLE, Cluster, cluster

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
    if VARIABLE not in os.environ:
        pytest.skip("PostgreSQL is for make test-deep")
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
    later = datetime.now(UTC) + timedelta(days=kept.configuration.backup.keep_days + 1)
    assert [aside] == forget_set_aside(kept.configuration, later)[-1:]
    assert before == databases(server)


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


def test_trial_of_another_office_or_one_in_use_is_left_alone_and_a_killed_ones_is_dropped(
    server: Cluster, tmp_path: Path
) -> None:
    """Two offices may share a server, and an engineer may prove a backup while the nightly one is made."""
    with closing(psycopg.connect(server.url, autocommit=True)) as connection:
        connection.execute("CREATE DATABASE other")
    before = databases(server)
    state = PostgresqlState(server.url, tmp_path / "data")
    state.copy(tmp_path / "dump")
    other = PostgresqlState(f"{server.url.removesuffix('office')}other", tmp_path / "data")
    with state.opened(tmp_path / "dump") as first, state.opened(tmp_path / "dump"), other.opened(tmp_path / "dump"):
        assert 3 == len(databases(server) - before)
        with closing(psycopg.connect(first)) as trial:
            trial.execute("SELECT 1")
    left = f"{state._copies}0"
    with closing(psycopg.connect(server.url, autocommit=True)) as connection:
        connection.execute(f'CREATE DATABASE "{left}"')

    with state.opened(tmp_path / "dump"):
        assert left not in databases(server)
    assert before == databases(server)


def test_password_is_on_no_command_line_wherever_the_url_has_it(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of the machine reads command lines."""
    secret = urlsplit(server.url).password
    assert secret
    in_query = f"{server.url.replace(f':{secret}@', '@')}?password={secret}&connect_timeout=9"
    commands = []
    run = subprocess.run

    def seen(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401 - as of run
        commands.append(command)
        return run(command, check=False, **{name: value for name, value in more.items() if name != "check"})

    monkeypatch.setattr(subprocess, "run", seen)
    for number, url in enumerate((server.url, in_query)):
        PostgresqlState(url, tmp_path / "data").copy(tmp_path / f"dump{number}")

    assert [] == [command for command in commands if secret in " ".join(command)]
    assert 2 == sum(f"--dbname=service={postgresql._SERVICE}" in command for command in commands)
    assert {"dump0", "dump1"} == {path.name for path in tmp_path.iterdir()}


def test_trial_databases_of_two_offices_have_different_names(tmp_path: Path) -> None:
    one, other = (PostgresqlState(f"postgresql://office@localhost/{name}", tmp_path) for name in ("one", "other"))

    assert not one._copies.startswith(other._copies)


def test_setting_that_no_service_file_can_hold_is_refused() -> None:
    with pytest.raises(BackupError, match="password of the database's URL ends with a blank"):
        postgresql._service("postgresql://office:secret%20@localhost/office")


def test_database_that_the_query_names_is_refused(tmp_path: Path) -> None:
    """A trial beside the office's own database would be made in that one."""
    file = write_config(tmp_path)
    file.write_text(f'database = "postgresql://office@localhost/x?dbname=office"\n{file.read_text()}')

    with pytest.raises(ConfigError, match="name the database in the path"):
        load_configuration(file)
