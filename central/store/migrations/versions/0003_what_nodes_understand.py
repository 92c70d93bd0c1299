"""Which newer things each node understands, so that a restarted central need not wait for its next report."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not known of any yet."""
    op.add_column("nodes", sa.Column("speaks", sa.String(600)))


def downgrade() -> None:
    """It is learnt again."""
    op.drop_column("nodes", "speaks")
