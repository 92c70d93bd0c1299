"""Unfinished acts for many incidents, with which a restart goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No act is unfinished."""
    op.create_table(
        "open_acts",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """The rest of each must be requested again."""
    op.drop_table("open_acts")
