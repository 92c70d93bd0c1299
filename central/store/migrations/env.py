"""Alembic's entry point: runs on the given connection, in its transaction."""

from __future__ import annotations

from alembic import context

from central.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
