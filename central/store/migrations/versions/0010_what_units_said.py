"""What each unit said of itself, so that the fleet page knows it of a unit that is silent since central's start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is known of any unit so far."""
    op.add_column("nodes", sa.Column("facts", sa.Text))


def downgrade() -> None:
    """Central learns it again from reports."""
    op.drop_column("nodes", "facts")
