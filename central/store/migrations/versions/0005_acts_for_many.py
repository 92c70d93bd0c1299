"""Acts for many incidents that are not carried out to their end yet: a restart goes on with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None is open."""
    op.create_table(
        "open_acts",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """What is left of them is to be asked for anew."""
    op.drop_table("open_acts")
