"""The time of each run of central against the machine's steady clock (N13)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown for earlier runs."""
    op.create_table(
        "times",
        sa.Column("began_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("machine_boot", sa.String(64), nullable=False),
        sa.Column("offset_us", sa.BigInteger, nullable=False),
        sa.Column("left_us", sa.BigInteger),
    )


def downgrade() -> None:
    """Presses stamped with an earlier run's time may then count as late."""
    op.drop_table("times")
