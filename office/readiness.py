"""Whether the database is as the office's programs need it; asked by each of them at its start."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from office.audit import triggers
from office.config import Configuration


class NotReadyError(Exception):
    """The database is not as this program needs it; the message says what to do."""


def check_database(configuration: Configuration) -> None:
    """Ask, and close the connection again.

    Raises:
        NotReadyError: the database is missing, older than this program, or does not protect its audit.
    """
    file = configuration.file
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise NotReadyError(
                f"the database is new or older than this program. New: watchlink office init --config {file}."
                f" Older: watchlink office migrate --config {file}"
            )
        missing = triggers.missing(connection)
    except DatabaseError as e:
        raise NotReadyError(f"the database cannot be used: {e}") from e
    finally:
        connection.close()
    if missing:
        raise NotReadyError(
            f"the database does not protect its audit: run 'watchlink office audit protect --config {file}', then"
            f" 'watchlink office audit verify --config {file}'"
        )
