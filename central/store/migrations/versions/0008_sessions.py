"""Sign-ins at the page, what opens the door only once, and how far the office's audit had come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody is signed in."""
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("office_session", sa.String(32), nullable=False),
        sa.Column("second_factor_us", sa.BigInteger),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("began_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("why", sa.String(32), nullable=False),
    )
    op.create_index("sessions_by_end", "sessions", ["ended_us"])
    op.create_table(
        "used_once",
        sa.Column("id", sa.String(96), primary_key=True),
        sa.Column("until_us", sa.BigInteger),
    )
    op.create_table(
        "office_head",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Everybody must sign in again; used tickets have expired by then."""
    op.drop_table("office_head")
    op.drop_table("used_once")
    op.drop_table("sessions")
