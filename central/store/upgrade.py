"""Runs the migrations that a database lacks. Imported only then: Alembic takes a quarter of a start's time."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from central.store.errors import StoreConfigError

# It logs its plugins at length at each start.
logging.getLogger("alembic").setLevel(logging.WARNING)

MIGRATIONS_DIR: Final = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Run the missing migrations in the caller's transaction.

    Raises:
        StoreConfigError: a newer version of central wrote the database.
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
            f"the database was written by a newer version of central (this one knows schemas up to {head}): {e}. "
            "Install that version again, or restore the copy of the database that was made before it: "
            "see Backups in docs/runbook.md"
        ) from e
