"""The journal and the tables beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "frames",
        sa.Column("sender", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("counter", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.BigInteger, nullable=False, unique=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("path", sa.String(16), nullable=False),
        sa.Column("arrived_us", sa.BigInteger, nullable=False),
        sa.Column("is_late", sa.Boolean, nullable=False),
        sa.Column("is_clock_ahead", sa.Boolean, nullable=False),
        sa.Column("incident_node", sa.BigInteger),
        sa.Column("incident_counter", sa.BigInteger),
    )
    op.create_index("frames_by_incident", "frames", ["incident_node", "incident_counter"])
    op.create_index("frames_by_arrival", "frames", ["arrived_us"])
    op.create_table(
        "actions",
        sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("incident_node", sa.BigInteger),
        sa.Column("incident_counter", sa.BigInteger),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("actions_by_incident", "actions", ["incident_node", "incident_counter"])
    op.create_table(
        "incidents",
        sa.Column("node", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("counter", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("closed_us", sa.BigInteger),
    )
    op.create_index("incidents_by_close", "incidents", ["closed_us"])
    op.create_table(
        "nodes",
        sa.Column("node", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_seen_us", sa.BigInteger, nullable=False),
        sa.Column("boot_id", sa.String(64), nullable=False),
    )
    op.create_table(
        "watch",
        sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "directories",
        sa.Column("serial", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("taken_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop every table: nothing came before."""
    for table in ("directories", "counters", "watch", "nodes", "incidents", "actions", "frames"):
        op.drop_table(table)
