"""Who heard a frame on the radio and passed it on, and how each path of each premises does by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Frames from before came by the network: they have none."""
    op.add_column("frames", sa.Column("relay", sa.BigInteger))
    op.create_table(
        "path_days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("node", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("path", sa.String(16), primary_key=True),
        sa.Column("watched_minutes", sa.Integer, nullable=False),
        sa.Column("up_minutes", sa.Integer, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("late", sa.Integer, nullable=False),
        sa.Column("deliveries", sa.String(250), nullable=False),
    )


def downgrade() -> None:
    """Which relay it was is lost, and so are the figures."""
    op.drop_table("path_days")
    op.drop_column("frames", "relay")
