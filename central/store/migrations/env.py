"""Alembic's entry: it runs on the connection it is given, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from central.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
