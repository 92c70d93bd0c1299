"""By what it was shown that somebody on duty can be reached, and what they were handed over and hand over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing of this is known so far."""
    op.add_column("duty", sa.Column("proof", sa.String(16), nullable=False, server_default=""))
    op.add_column("duty", sa.Column("is_unread", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("duty", sa.Column("ended_entry", sa.BigInteger))


def downgrade() -> None:
    """The notes stay in the journal."""
    for name in ("ended_entry", "is_unread", "proof"):
        op.drop_column("duty", name)
