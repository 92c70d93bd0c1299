"""What each node understands, so that a restarted central need not wait for its next report."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown for every node so far."""
    op.add_column("nodes", sa.Column("speaks", sa.String(600)))


def downgrade() -> None:
    """Central learns it again from reports."""
    op.drop_column("nodes", "speaks")
