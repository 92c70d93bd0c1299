"""Whom each step of a policy asked, and what became of messages, so that a restart goes on at that step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has been asked by a policy so far."""
    op.add_column("actions", sa.Column("details", sa.Text))


def downgrade() -> None:
    """An older central knows of no steps, and begins nothing."""
    op.execute("DELETE FROM actions WHERE kind IN ('asked', 'nobody', 'told')")
    op.drop_column("actions", "details")
