"""Phones that their owners let be told of alerts: subscriptions to push services."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has set a phone up so far."""
    op.create_table(
        "phones",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.BigInteger, nullable=False),
        sa.Column("endpoint", sa.String(1_024), nullable=False),
        sa.Column("p256dh", sa.String(87), nullable=False),
        sa.Column("auth", sa.String(22), nullable=False),
        sa.Column("added_us", sa.BigInteger, nullable=False),
        sa.Column("proven_us", sa.BigInteger),
    )


def downgrade() -> None:
    """Everybody sets their phone up anew."""
    op.drop_table("phones")
