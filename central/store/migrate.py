"""Brings a database to this program's schema, wherever the package is installed."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from central.store.tables import METADATA

NEWEST: Final = "0013"
"""The last migration: what :data:`METADATA` describes. A test compares both."""
_VERSION: Final = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it."""


def migrate(connection: Connection) -> None:
    """Make the tables of a new database, or run the missing migrations, in the caller's transaction.

    Raises:
        StoreConfigError: a newer version of central wrote the database.
    """
    if connection.dialect.name == "sqlite":
        # sqlite3 opens no transaction for DDL: a kill half-way would leave tables without their version.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    there = set(sa.inspect(connection).get_table_names())
    if there.isdisjoint({_VERSION.name, *METADATA.tables}):
        METADATA.create_all(connection, checkfirst=False)
        _VERSION.create(connection)
        connection.execute(sa.insert(_VERSION).values(version_num=NEWEST))
        return
    if _VERSION.name in there and connection.execute(sa.select(_VERSION.c.version_num)).scalars().all() == [NEWEST]:
        return
    # Imported late: most starts need no migration, and start sooner without Alembic.
    from central.store.upgrade import upgrade  # noqa: PLC0415

    upgrade(connection)
