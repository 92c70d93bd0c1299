"""Bring a database to this program's schema, from wherever the package is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from central.store.errors import StoreConfigError

MIGRATIONS_DIR: Final = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Run what is missing, in the caller's transaction.

    Raises:
        StoreConfigError: the database is of a newer program.
    """
    config = Config()
    # ConfigParser would read a percent sign in the path as an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as e:
        head = ScriptDirectory.from_config(config).get_current_head()
        raise StoreConfigError(
            f"the database was written by another version of central (this one's schema is {head}): {e}"
        ) from e
