"""A new database is made whole, an older one by migrations: both end alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from central.store import migrate, upgrade
from central.store.database import Database, engine_of, resolve_url
from central.store.tables import METADATA


def engine_on(folder: Path) -> Engine:
    return engine_of(resolve_url("sqlite:///made.db", folder))


def schema_of(connection: Connection) -> dict[str, list[object]]:
    """Columns in their order, with types, defaults and keys, and the indexes, by table; what the rows say too."""
    found: dict[str, list[object]] = {}
    for table in sorted(sa.inspect(connection).get_table_names()):
        said: list[object] = [tuple(row)[1:] for row in connection.exec_driver_sql(f"PRAGMA table_xinfo({table})")]
        indexes = [tuple(row)[1:] for row in connection.exec_driver_sql(f"PRAGMA index_list({table})")]
        for name, *how in sorted(indexes):
            said.append((name, how, connection.exec_driver_sql(f"PRAGMA index_xinfo({name})").all()))
        said += connection.exec_driver_sql(f"SELECT * FROM {table}").all()
        found[table] = said
    return found


def test_newest_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.MIGRATIONS_DIR).replace("%", "%%"))

    assert ScriptDirectory.from_config(config).get_current_head() == migrate.NEWEST


def test_new_database_is_what_all_migrations_make(tmp_path: Path) -> None:
    schemas = []
    for name, make in (("new", migrate.migrate), ("migrated", upgrade.upgrade)):
        engine = engine_on(tmp_path / name)
        (tmp_path / name).mkdir()
        with engine.begin() as connection:
            make(connection)
            schemas.append(schema_of(connection))
        engine.dispose()

    new, migrated = schemas
    assert {*METADATA.tables, "alembic_version"} == set(new)
    assert migrated == new


def test_database_of_which_only_the_version_is_lost_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    """Its tables are there: to make them anew could only fail half-way or hide what was lost."""
    engine = engine_on(tmp_path)
    with engine.begin() as connection:
        migrate.migrate(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(sa.exc.OperationalError, match="already exists"), engine.begin() as connection:
        migrate.migrate(connection)
    engine.dispose()


def test_alembic_is_loaded_only_for_a_migration(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
import central.app
from central.store.database import Database, resolve_url
for _ in range(2):
    database = Database(resolve_url("sqlite:///state/central.db", Path({str(tmp_path)!r})))
    database.open()
    database.close()
print("alembic" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False\n" == said.stdout
    assert (tmp_path / "state/central.db").exists()


def test_database_of_an_older_schema_gets_the_missing_migrations(tmp_path: Path) -> None:
    database = Database(resolve_url("sqlite:///made.db", tmp_path))
    database.open()
    with database._engine.begin() as connection:
        new = schema_of(connection)
        connection.exec_driver_sql("ALTER TABLE nodes DROP COLUMN facts")
        connection.exec_driver_sql("ALTER TABLE actions DROP COLUMN details")
        connection.exec_driver_sql("DROP TABLE phones")
        for column in ("proof", "is_unread", "ended_entry"):
            connection.exec_driver_sql(f"ALTER TABLE duty DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0009'")
        assert new != schema_of(connection)
    database.close()

    database.open()

    with database._engine.begin() as connection:
        assert new == schema_of(connection)
    database.close()
