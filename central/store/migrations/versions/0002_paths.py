"""Who passed a frame on from the radio, and daily figures of each path of each premises."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Earlier frames came by the network, so they have no relay."""
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
    """The relays and the figures are lost."""
    op.drop_table("path_days")
    op.drop_column("frames", "relay")
