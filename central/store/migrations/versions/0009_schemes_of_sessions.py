"""In which schemes each sign-in was, so that the record outlives the account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of sign-ins so far it is not known: the newest list of people tells, while it lists the person."""
    op.add_column("sessions", sa.Column("schemes", sa.Text, nullable=False, server_default=""))
    op.create_index("sessions_by_begin", "sessions", ["began_us"])


def downgrade() -> None:
    """Who has left is in nobody's record any more."""
    op.drop_index("sessions_by_begin", "sessions")
    op.drop_column("sessions", "schemes")
